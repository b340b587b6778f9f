"""A remote MCP server that keeps to the handshake and answers calls as a test's script says.

    with far(script) as server:     # in a thread of its own, beside real processes
        ...  # server.url, server.calls, server.requests

`script` is that of `scripted_server`, played for each `tools/call`; None for a proper answer. GET
is answered with 405, so all that comes is an answer.
"""

import asyncio
import concurrent.futures
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from tests.helpers.limits import LIMIT_S
from tests.helpers.scripted_server import JSON, Seen, Server, Step, reply, serving

T = TypeVar("T")
SESSION = "far-session"
TOOL = {"name": "look", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}


class FarServer(Server):
    """The handshake, one tool, and what was called."""

    def __init__(self, script: Sequence[Step] | None, port: int = 0) -> None:
        super().__init__([[]])
        self.port = port
        self.opened = False
        self.script = script
        self.once: Sequence[Step] | None = None  # for the next call alone

    @property
    def calls(self) -> list[Seen]:
        return [seen for seen in self.requests if b"tools/call" in seen.body]

    def choose(self, seen: Seen) -> Sequence[Step]:
        """The script for a request."""
        if seen.method != "POST":
            return [reply(405 if seen.method == "GET" else 200)]
        message = json.loads(seen.body)
        self.opened = self.opened or message["method"] == "initialize"
        if not self.opened and "mcp-session-id" in seen.headers:
            return [reply(404)]  # a session of the server that was here before
        if "id" not in message:
            return [reply(202)]
        if message["method"] == "tools/call":
            once, self.once = self.once, None
            if once or self.script:
                return once or self.script or []
        if message["method"] == "server/discover":
            error = {"code": -32601, "message": "no such method"}
            told = {"jsonrpc": "2.0", "id": message["id"], "error": error}
            return [reply(404, json.dumps(told).encode())]
        result = {
            "initialize": {
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "far", "version": "1"},
            },
            "tools/list": {"tools": [TOOL]},
            "tools/call": {"content": [{"type": "text", "text": "seen"}]},
        }.get(message["method"], {})
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()
        return [reply(200, body, {**JSON, "Mcp-Session-Id": SESSION})]


def far(
    script: Sequence[Step] | None = None, port: int = 0
) -> contextlib.AbstractContextManager[FarServer]:
    """Such a server, in a thread; port 0 for any that is free."""
    return in_thread(lambda: serving(server=FarServer(script, port)))


@contextlib.contextmanager
def in_thread(make: Callable[[], contextlib.AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """A server with a loop of its own, beside a test that waits."""
    ready: concurrent.futures.Future[T] = concurrent.futures.Future()
    over = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        async with make() as server:
            ready.set_result(server)
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        yield ready.result(LIMIT_S)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
