"""An EnginePort in memory, and an engine's end of the control socket around it."""

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

from mcpwall.engine.port import (
    Batch,
    Command,
    Done,
    Event,
    NoticeEvent,
    Reply,
    Snapshot,
    Status,
    Totals,
)
from mcpwall.link.listener import Listener
from mcpwall.link.server import Server

STATUS = Status(
    pid=4711,
    version="0",
    started_ms=1_000,
    home="/h",
    config="/h/config.toml",
    policy="abc",
    lockdown=False,
)
EMPTY = Snapshot(
    seq=0, status=STATUS, rows=(), held=(), rules=(), sessions=(), servers=(), totals=Totals()
)


def notice(text: str) -> NoticeEvent:
    return NoticeEvent("info", text)


class MemoryPort:
    """Keeps the last `kept` events; `answer` says what a command gets."""

    def __init__(self, snapshot: Snapshot = EMPTY, kept: int = 50) -> None:
        self.shown = snapshot
        self.sent: list[Command] = []
        self.followers = 0
        self.batches = 0  # pulled by all followers together
        self.answer: Callable[[Command], Awaitable[Reply]] = self._done
        self._events: deque[Event] = deque(maxlen=kept)
        self._seq = 0
        self._news = asyncio.Condition()

    @staticmethod
    async def _done(command: Command) -> Reply:
        return Done(type(command).__name__)

    async def publish(self, event: Event) -> None:
        async with self._news:
            self._seq += 1
            self._events.append(event)
            self._news.notify_all()

    async def followed_by(self, count: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self.followers == count)

    async def snapshot(self) -> Snapshot:
        return self.shown

    async def feed(self, after: int) -> AsyncIterator[Batch]:
        await self._follow(1)
        try:
            while True:
                await self._past(after)
                missing = self._seq - after
                gap = missing > len(self._events)
                events = () if gap else tuple(self._events)[-missing:]
                after = self._seq
                self.batches += 1
                yield Batch(after, Totals(), events, gap)
        finally:
            await self._follow(-1)

    async def _past(self, after: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self._seq > after)

    async def _follow(self, step: int) -> None:
        async with self._news:
            self.followers += step
            self._news.notify_all()

    async def send(self, command: Command) -> Reply:
        self.sent.append(command)
        return await self.answer(command)


class Wall:
    """A listener and a server on `port`, and what shims brought."""

    def __init__(self, path: str, port: MemoryPort, first_line_s: float = 60.0) -> None:
        self.path = path
        self.port = port
        self.server = Server(port)
        self.shims: asyncio.Queue[tuple[socket.socket, list[int], dict[str, object], bytes]] = (
            asyncio.Queue()
        )
        self.listener = Listener(
            path,
            on_stdio=lambda *shim: self.shims.put_nowait(shim),
            on_control=self.server.take,
            first_line_s=first_line_s,
        )

    async def __aenter__(self) -> Self:
        self.listener.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        self.listener.close()
        await self.server.close()


@contextmanager
def raw(path: str) -> Iterator[socket.socket]:
    """A plain client socket, for what no proper client says."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        sock.connect(path)
        yield sock


async def read_all(sock: socket.socket) -> bytes:
    """All that comes until the other end closes; it may close before it has read everything."""
    data = b""
    with suppress(ConnectionResetError):
        while more := await asyncio.get_running_loop().sock_recv(sock, 65536):
            data += more
    return data
