"""A pretend MCP server on stdin and stdout: `python -m mcpwall.demo.server NAME`.

It lists the tools of NAME and answers from `tools`. Both eras: one that is opened by `initialize`
(to 2025-11-25), and one without a session, where each request says its version in `_meta`
(2026-07-28).
"""

from __future__ import annotations

import json
import sys
import time
from typing import Final

from mcpwall.demo.tools import TOOLS, Json, answer

HANDSHAKES: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
STATELESS: Final = "2026-07-28"
META: Final = "io.modelcontextprotocol/"
METHOD_NOT_FOUND, INVALID_PARAMS = -32601, -32602


class Server:
    """One pretend server; `receive` takes a message and gives the answer to it, if it gets one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tools = TOOLS[name]
        self._info = {"name": f"demo-{name}", "version": "1.0"}

    def receive(self, message: Json) -> Json | None:
        """Answer a request; None for a notification."""
        if "id" not in message:
            return None
        params = message.get("params") or {}
        try:
            result = self._result(message.get("method", ""), params)
        except LookupError as error:
            code, text = error.args
            return {"jsonrpc": "2.0", "id": message["id"], "error": {"code": code, "message": text}}
        if META + "protocolVersion" in (params.get("_meta") or {}):
            result = {
                "resultType": "complete",
                **result,
                "_meta": {META + "serverInfo": self._info},
            }
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}

    def _result(self, method: str, params: Json) -> Json:
        """The result of a request. Raises LookupError(code, message)."""
        match method:
            case "initialize":
                asked = params.get("protocolVersion")
                return {
                    "protocolVersion": asked if asked in HANDSHAKES else HANDSHAKES[-1],
                    "capabilities": {"tools": {}},
                    "serverInfo": self._info,
                }
            case "server/discover":
                versions = {"supportedVersions": [STATELESS], "capabilities": {"tools": {}}}
                return versions | {"ttlMs": 0, "cacheScope": "private"}
            case "ping":
                return {}
            case "tools/list":
                return {"tools": self._tools, "ttlMs": 0, "cacheScope": "private"}
            case "tools/call":
                return self._call(params.get("name"), params.get("arguments") or {})
        raise LookupError(METHOD_NOT_FOUND, f"Method not found: {method}")

    def _call(self, tool: object, arguments: Json) -> Json:
        if not isinstance(tool, str) or tool not in {entry["name"] for entry in self._tools}:
            raise LookupError(INVALID_PARAMS, f"Unknown tool: {tool}")
        given = answer(self._name, tool, arguments)
        time.sleep(given.took_s)  # so that the screen shows times as of real servers
        return {"content": [{"type": "text", "text": given.text}], "isError": given.failed}


def main() -> None:
    """Serve the server that is named on the command line until stdin ends."""
    server = Server(sys.argv[1])
    for line in sys.stdin.buffer:
        reply = server.receive(json.loads(line))
        if reply is not None:
            sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
