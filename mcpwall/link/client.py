"""The engine as an app in another process sees it: an EnginePort over the control socket.

Requests go over one connection, one after the other; each feed has a connection of its own, so a
burst of events never stands before an answer. Light to import: no engine, no uvloop.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from mcpwall import __version__
from mcpwall.engine.port import Batch, Command, Reply, Snapshot
from mcpwall.link import wire
from mcpwall.link.errors import check_version, read_result, refused, socket_path, unreachable
from mcpwall.link.peer import ForeignPeerError, check_peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import msgspec

HELLO_S: Final = 10.0  # an engine that takes longer to say its version does not work
_TROUBLE: Final = (
    OSError,
    EOFError,
    asyncio.LimitOverrunError,
    wire.WireError,
    ForeignPeerError,
)


@asynccontextmanager
async def connect(path: str | None = None, role: wire.Role = "app") -> AsyncIterator[RemotePort]:
    """An EnginePort of the engine that listens on the socket `path` (by default this user's).

    Raises EngineGoneError with words for the person: NoEngineError when nobody listens,
    OtherVersionError when the engine is of another version of mcpwall. One that dies later is
    noticed by the next request, and by each feed at once.
    """
    where = socket_path(path)
    async with _open(where, role) as line:
        yield RemotePort(where, role, line)


class RemotePort:
    """The EnginePort that `connect` gives, good as long as its connection."""

    def __init__(self, path: str, role: wire.Role, line: _Line) -> None:
        self._path = path
        self._role = role
        self._line = line

    async def snapshot(self) -> Snapshot:
        """See EnginePort."""
        snapshot: Snapshot = await self._line.ask("snapshot", None, Snapshot)
        return snapshot

    async def feed(self, after: int) -> AsyncIterator[Batch]:
        """See EnginePort."""
        async with _open(self._path, self._role) as line:
            await line.ask("feed", wire.Follow(after), wire.Follow)
            while True:
                yield await line.batch()

    async def send(self, command: Command) -> Reply:
        """See EnginePort. Raises EngineGoneError too when the role may not send this command."""
        reply: Reply = await self._line.ask("send", command, Reply)
        return reply


@asynccontextmanager
async def _open(path: str, role: wire.Role) -> AsyncIterator[_Line]:
    """A connection past its hello. Raises EngineGoneError."""
    with _in_words(path):
        reader, writer = await asyncio.open_unix_connection(path, limit=wire.ANSWER_MAX)
    try:
        line = _Line(path, reader, writer)
        with _in_words(path):
            check_peer(writer.get_extra_info("socket"))
            async with asyncio.timeout(HELLO_S):
                hello = wire.Hello(__version__, role)
                check_version(await line.ask("hello", hello, wire.Welcome))
        yield line
    finally:
        writer.close()


class _Line:
    """One connection: one request at a time, or the batches of a feed."""

    def __init__(
        self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer
        self._numbers = count(1)
        self._turn = asyncio.Lock()

    async def ask(self, method: str, params: msgspec.Struct | None, kind: Any) -> Any:
        """The answer to one request, a value of type `kind`. Raises EngineGoneError."""
        async with self._turn:
            number = next(self._numbers)
            with _in_words(self._path):
                self._writer.write(wire.request(number, method, params))
                await self._writer.drain()
                frame = await self._frame()
                while frame.id is not None and frame.id < number:  # its asker was cancelled
                    frame = await self._frame()
                return read_result(frame, kind)

    async def batch(self) -> Batch:
        """The next batch of the feed. Raises EngineGoneError."""
        with _in_words(self._path):
            frame = await self._frame()
            if frame.error is not None:
                raise refused(frame.error)
            batch: Batch = wire.read_value(frame.params, Batch)
            return batch

    async def _frame(self) -> wire.Frame:
        return wire.read_frame(await self._reader.readuntil(b"\n"))


@contextmanager
def _in_words(path: str) -> Iterator[None]:
    try:
        yield
    except _TROUBLE as error:
        raise unreachable(path, error) from error
