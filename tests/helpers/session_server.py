"""A remote MCP server for tests: standard library only, handshake era, sessions, an event stream.

Run as a program: it prints its port, and serves until it is killed. Tools: `echo` returns its
arguments as text; `slow` answers when `release` is called; `forget` has all sessions forgotten;
`headers` returns the HTTP headers of its own call; `notify` says something on the GET streams.
FAR_KEY=TEXT: requests without `X-Key: TEXT` are 401. A session's initialize and DELETE are
printed.
"""

import contextlib
import http.server
import json
import os
import queue
import sys
import threading
import uuid
from typing import Any

Json = dict[str, Any]
TOOLS = ("echo", "slow", "release", "forget", "headers", "notify")


SESSIONS: dict[str, list["queue.Queue[Json | None]"]] = {}
GATE = threading.Event()


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if os.environ.get("FAR_KEY", "") not in (self.headers.get("X-Key", ""), ""):
            self.answer(401, None)
            return
        session = self.headers.get("Mcp-Session-Id", "")
        if message.get("method") == "initialize":
            session = uuid.uuid4().hex
            SESSIONS[session] = []
            say("initialize")
            info = {"name": "far", "version": "1"}
            version = message["params"]["protocolVersion"]
            result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
            self.answer(200, {"id": message["id"], "result": result}, session)
        elif session not in SESSIONS:
            self.answer(404, None)
        elif "id" not in message or "method" not in message:
            self.answer(202, None)
        else:
            self.answer(200, {"id": message["id"], **self.result(message, session)})

    def do_GET(self) -> None:
        session = self.headers.get("Mcp-Session-Id", "")
        if session not in SESSIONS:
            self.answer(404, None)
            return
        news: queue.Queue[Json | None] = queue.Queue()
        SESSIONS[session].append(news)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.write(b": open\n\n")
            while (message := news.get()) is not None:
                self.wfile.write(b"data: " + json.dumps(message).encode() + b"\n\n")

    def do_DELETE(self) -> None:
        gone = SESSIONS.pop(self.headers.get("Mcp-Session-Id", ""), None)
        say("delete")
        for news in gone or ():
            news.put(None)
        self.answer(200 if gone is not None else 404, None)

    def result(self, message: Json, session: str) -> Json:
        params = message.get("params", {})
        if message["method"] == "tools/list":
            schema = {"type": "object"}
            return {"result": {"tools": [{"name": name, "inputSchema": schema} for name in TOOLS]}}
        if message["method"] != "tools/call":
            return {"error": {"code": -32601, "message": "Method not found"}}
        text = json.dumps(params.get("arguments", {}))
        if params["name"] == "slow":
            GATE.wait()
        elif params["name"] == "release":
            GATE.set()
        elif params["name"] == "headers":
            text = json.dumps({key.lower(): value for key, value in self.headers.items()})
        elif params["name"] == "forget":
            for news in (each for streams in SESSIONS.values() for each in streams):
                news.put(None)
            SESSIONS.clear()
        elif params["name"] == "notify":
            note = {"level": "info", "data": "hello"}
            for news in SESSIONS[session]:
                news.put({"jsonrpc": "2.0", "method": "notifications/message", "params": note})
        return {"result": {"content": [{"type": "text", "text": text}]}}

    def answer(self, status: int, message: Json | None, session: str = "") -> None:
        body = b"" if message is None else json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.send_response(status)
        if session:
            self.send_header("Mcp-Session-Id", session)
        if body:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    say(server.server_address[1])
    server.serve_forever()
