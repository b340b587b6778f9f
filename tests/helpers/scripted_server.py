"""An HTTP server of raw bytes: it answers each request with the next of its scripts, as it stands.

    async with serving([reply(200, b"{}")], [reply(503)]) as server:
        ...  # server.url, server.requests

A script is a list of steps: bytes are sent, an event is waited for, CLOSE ends the connection,
STALL waits until the client does. When the scripts are used up, the last one is played again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

CLOSE = "close"
STALL = "stall"
PATIENCE = 500
TURNS = 5  # of the loop, until what was accepted last has begun
Step = bytes | asyncio.Event | str
JSON = {"Content-Type": "application/json"}
STREAM = {"Content-Type": "text/event-stream"}


@dataclass
class Seen:
    """A request that came. Names of headers are small."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def reply(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """A whole answer; JSON unless headers say otherwise."""
    told = {"Content-Length": str(len(body)), **(JSON if body and headers is None else {})}
    return head(status, {**told, **(headers or {})}) + body


def head(status: int, headers: dict[str, str]) -> bytes:
    """An answer's head."""
    lines = [
        f"HTTP/1.1 {status} Whatever",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    """A chunk of a body of unknown length; b"" is the last."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def begin_stream(headers: dict[str, str] | None = None) -> bytes:
    """The head of a stream of events, to be followed by chunks."""
    return head(200, {**STREAM, "Transfer-Encoding": "chunked", **(headers or {})})


class Server:
    """What was asked, and where to ask."""

    def __init__(self, scripts: Sequence[Sequence[Step]]) -> None:
        self.requests: list[Seen] = []
        self.lost = asyncio.Event()  # a client went away before its answer's end
        self.port = 0
        self.connections = 0
        self.steps = 0  # taken, of all scripts
        self._scripts = list(scripts)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def play(self, *scripts: Sequence[Step]) -> None:
        """Answer with these from now on."""
        self._scripts = list(scripts)

    def choose(self, seen: Seen) -> Sequence[Step]:
        """The script for a request."""
        return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]

    async def stuck(self) -> None:
        """Wait until the client takes no more: over many turns of the loop no step was taken."""
        before, turns = -1, 0
        while turns < PATIENCE:
            turns = turns + 1 if self.steps == before else 0
            before = self.steps
            await asyncio.sleep(0)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has what it wanted
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        seen = await read_request(reader)
        self.requests.append(seen)
        for step in self.choose(seen):
            self.steps += 1
            if step == CLOSE:
                return False
            if step == STALL:
                await reader.read(1)
                self.lost.set()
                return False
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, asyncio.Event):
                gone = asyncio.ensure_future(reader.read(1))
                waiting = asyncio.ensure_future(step.wait())
                await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    waiting.cancel()
                    self.lost.set()
                    return False
                gone.cancel()
        return True


async def read_request(reader: asyncio.StreamReader) -> Seen:
    """The next request of a connection."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = lines[0].split(" ")
    headers = {}
    for line in filter(None, lines[1:]):
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    return Seen(
        method, path, headers, await reader.readexactly(int(headers.get("content-length", "0")))
    )


@contextlib.asynccontextmanager
async def serving(*scripts: Sequence[Step], server: Server | None = None) -> AsyncIterator[Server]:
    """A server on a free port of this machine, with these scripts or a mind of its own."""
    server = server or Server(scripts)
    async with listening(server.talk, server.port) as server.port:
        yield server


@contextlib.asynccontextmanager
async def listening(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
    port: int = 0,
) -> AsyncIterator[int]:
    """Listen on a port of this machine (0: a free one); in the end all talk is broken off."""
    conversations: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        conversations.add(asyncio.ensure_future(talk(reader, writer)))

    listener = await asyncio.start_server(begin, "127.0.0.1", port)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        for writer in writers:  # a conversation that had not begun yet has closed none
            writer.transport.abort()
        await asyncio.gather(*(each.wait_closed() for each in writers), return_exceptions=True)
