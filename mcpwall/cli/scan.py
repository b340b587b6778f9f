"""A short visit to a server, through the wall, so that the wall sees its tools.

The visitor is an agent like any other: it runs `mcpwall stdio NAME`, opens a session in the
handshake era, or in the stateless one where the server wants that, reads every page of the list of
tools, again if the server says meanwhile that it changed, and leaves. What the engine sees on the
way it pins, as it always does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from typing import IO, Any, Final

from mcpwall import __version__

ANSWER_S: Final = 30.0  # the patience for one answer
LEAVE_S: Final = 5.0  # and for the end, before it is hastened
LINE_MAX: Final = 64 * 1024 * 1024
PAGES_MAX: Final = 1_000
READS_MAX: Final = 5  # of a list that changes while it is read
_ME: Final = {"name": "mcpwall-scan", "version": __version__}
_HANDSHAKE: Final = "2025-11-25"
_STATELESS: Final = "2026-07-28"
_PREFIX: Final = "io.modelcontextprotocol/"
_WALL: Final = "mcpwall: "  # how the wall's own answers begin
_SHIM: Final = "mcpwall stdio: "  # how a line of the shim's own on stderr begins

Json = dict[str, Any]


class _ScanError(Exception):
    """Why a visit failed, in a few words."""


def scan(name: str, command: list[str] | None = None) -> str:
    """Visit a configured server; returns '' or why that failed.

    `command` is what a session is opened with, by default `mcpwall stdio NAME`.
    """
    command = command or [sys.executable, "-m", "mcpwall", "stdio", name]
    with tempfile.TemporaryFile() as stderr:
        try:
            asyncio.run(_visit(command, stderr))
        except _ScanError as error:
            return f"{error}{_last_words(stderr)}"
    return ""


async def _visit(command: list[str], stderr: IO[bytes]) -> None:
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=stderr, limit=LINE_MAX
        )
    except OSError as error:
        raise _ScanError(f"cannot be started: {error.strerror}") from None
    try:
        await _Visit(process).run()
    finally:
        await _leave(process)


async def _leave(process: asyncio.subprocess.Process) -> None:
    """Close the session's input; end the process if that does not."""
    if process.stdin is not None:
        process.stdin.close()
    for hasten in (process.terminate, process.kill):
        try:
            await asyncio.wait_for(process.wait(), LEAVE_S)
        except TimeoutError:
            hasten()
        else:
            return
    await process.wait()


class _Visit:
    """One session: requests by number, each answered before the next."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asked = 0
        self._meta: Json = {}
        self._changed = False

    async def run(self) -> None:
        """Open a session and read the whole list of tools. Raises _ScanError."""
        await self._open()
        for _ in range(READS_MAX):
            self._changed = False
            await self._read_list()
            if not self._changed:
                return
        raise _ScanError(f"its list of tools changed during each of {READS_MAX} readings")

    async def _open(self) -> None:
        hello = {"protocolVersion": _HANDSHAKE, "capabilities": {}, "clientInfo": _ME}
        if "error" not in await self._ask("initialize", hello):
            self._tell({"jsonrpc": "2.0", "method": "notifications/initialized"})
        else:
            self._meta = {
                f"{_PREFIX}protocolVersion": _STATELESS,
                f"{_PREFIX}clientCapabilities": {},
                f"{_PREFIX}clientInfo": _ME,
            }
            self._result(await self._ask("server/discover", {}))

    async def _read_list(self) -> None:
        cursor = None
        for _ in range(PAGES_MAX):
            params: Json = {} if cursor is None else {"cursor": cursor}
            cursor = self._result(await self._ask("tools/list", params)).get("nextCursor")
            if not isinstance(cursor, str):
                return
        raise _ScanError(f"its list of tools has more than {PAGES_MAX} pages")

    async def _ask(self, method: str, params: Json) -> Json:
        self._asked += 1
        if self._meta:
            params = {**params, "_meta": self._meta}
        self._tell({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params})
        try:
            return await asyncio.wait_for(self._answer(), ANSWER_S)
        except TimeoutError:
            raise _ScanError(f"no answer to {method} within {ANSWER_S:.0f} s") from None

    async def _answer(self) -> Json:
        """The answer to the last question. What the server asks meanwhile is declined."""
        if self._process.stdout is None:
            raise _ScanError("it has no output")
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:
                raise _ScanError(f"a line of it has more than {LINE_MAX} bytes") from None
            if not line:
                raise _ScanError("it ended before it answered")
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if not isinstance(message, dict):
                continue
            if "method" not in message and message.get("id") == self._asked:
                return message
            if message.get("method") == "notifications/tools/list_changed":
                self._changed = True
            elif "method" in message and "id" in message:
                refusal = {"code": -32601, "message": "this visitor only lists tools"}
                self._tell({"jsonrpc": "2.0", "id": message["id"], "error": refusal})

    def _tell(self, message: Json) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    @staticmethod
    def _result(answer: Json) -> Json:
        result = answer.get("result")
        if isinstance(result, dict):
            return result
        error = answer.get("error")
        said = error.get("message") if isinstance(error, dict) else None
        if str(said).startswith(_WALL):  # it never got there: the wall says why
            raise _ScanError(str(said).removeprefix(_WALL))
        raise _ScanError(f"it answered with an error: {said}")


def _last_words(stderr: IO[bytes]) -> str:
    """What to add to what went wrong: the last line on stderr of the server, else of the shim."""
    stderr.seek(0, 2)
    stderr.seek(max(0, stderr.tell() - 4096))
    lines = stderr.read().decode("utf-8", "replace").strip().splitlines()
    said = [line for line in lines if not line.startswith(_SHIM)]
    if said:
        return f" (its last words: {said[-1]})"
    return f": {lines[-1].removeprefix(_SHIM)}" if lines else ""
