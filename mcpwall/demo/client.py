"""A pretend agent's session with one server: an MCP client over a child's stdin and stdout.

Speaks the era that its `version` belongs to, see `mcpwall.demo.server`. It knows the wall only as
any client may: by the text of a result, and by `_meta["mcpwall/verdict"]`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from mcpwall.demo.server import META, STATELESS
from mcpwall.demo.tools import Json

LINE_MAX: Final = 1 << 20  # bytes of one message
VERDICT: Final = "mcpwall/verdict"


class SessionOverError(Exception):
    """The other side has ended, or answered with what no client can use."""


class Told(NamedTuple):
    """What an agent is told in answer to a call; `verdict` is the wall's, where it refused."""

    text: str
    failed: bool
    verdict: Json | None = None

    @property
    def outcome(self) -> str:
        """`done` or `failed` by the server, else the cause of the wall's refusal."""
        if self.verdict is not None:
            return str(self.verdict["cause"])
        return "failed" if self.failed else "done"


class Session:
    """Requests to one server; many may be under way at once. Made by `connect`."""

    def __init__(self, process: Process, client: str, version: str) -> None:
        self._process = process
        self._info = {"name": client, "version": "1.0"}
        self._version = version
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._over = False  # the other side has ended: no answer can come any more

    async def open(self) -> None:
        """Open the session as its era does, and list the tools. Raises SessionOverError."""
        if self._version == STATELESS:
            await self.request("server/discover")
        else:
            await self.request(
                "initialize",
                {
                    "protocolVersion": self._version,
                    "capabilities": {},
                    "clientInfo": self._info,
                },
            )
            self._send({"method": "notifications/initialized"})
        await self.request("tools/list")

    async def call(self, tool: str, arguments: Json) -> Told:
        """Call a tool. Raises SessionOverError."""
        result = await self.request("tools/call", {"name": tool, "arguments": arguments})
        text = "\n".join(part.get("text", "") for part in result["content"])
        failed = result.get("isError", False)
        return Told(text, failed, result.get("_meta", {}).get(VERDICT))

    async def request(self, method: str, params: Json | None = None) -> Json:
        """The result of a request. Raises SessionOverError, for a JSON-RPC error too."""
        params = dict(params or {})
        if self._version == STATELESS:
            params["_meta"] = {
                META + "protocolVersion": self._version,
                META + "clientCapabilities": {},
                META + "clientInfo": self._info,
            }
        number = next(self._ids)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._send({"id": number, "method": method, "params": params})
        response = await answer
        if "result" not in response:
            raise SessionOverError(f"{method}: {response.get('error')}")
        result: Json = response["result"]
        return result

    async def read(self) -> None:
        """Take answers until the other side ends; then nobody waits any more."""
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101  connect() asks for a pipe
        async for line in stdout:
            message = json.loads(line)
            waiting = self._waiting.pop(message.get("id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        self._over = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(SessionOverError("the server has gone"))

    def _send(self, message: Json) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101  connect() asks for a pipe
        if self._over or stdin.is_closing():
            raise SessionOverError("the server has gone")
        stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


@asynccontextmanager
async def connect(command: Sequence[str], client: str, version: str) -> AsyncIterator[Session]:
    """A session with the server that `command` starts; `client` is the name it is given.

    At the end closes the server's stdin and waits for its exit. Raises SessionOverError.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, limit=LINE_MAX
    )
    session = Session(process, client, version)
    reading = asyncio.create_task(session.read())
    try:
        await session.open()
        yield session
    finally:
        if process.stdin is not None:
            process.stdin.close()
            with contextlib.suppress(OSError):
                await process.stdin.wait_closed()
        await process.wait()
        await reading
