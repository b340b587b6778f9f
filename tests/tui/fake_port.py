"""An engine for tests of the app: scripted snapshot, batches and replies, no timing of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from mcpwall.engine import port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Answer: TypeAlias = "port.Reply | Callable[[port.Command], port.Reply]"


class FakePort:
    """An EnginePort. `sent` are the commands it got; `replies` what it answers, by command type."""

    def __init__(self, snapshot: port.Snapshot) -> None:
        self.now = snapshot
        self.sent: list[port.Command] = []
        self.replies: dict[type[msgspec.Struct], Answer] = {}
        self.following = asyncio.Event()  # the app waits for a batch
        self._seq = snapshot.seq
        self._batches: asyncio.Queue[port.Batch | port.EngineGoneError] = asyncio.Queue()
        self._gone: port.EngineGoneError | None = None

    async def snapshot(self) -> port.Snapshot:
        if self._gone:
            raise self._gone
        return msgspec.structs.replace(self.now, seq=self._seq)

    async def feed(self, after: int) -> AsyncIterator[port.Batch]:
        assert after == self._seq
        while True:
            self.following.set()
            batch = await self._batches.get()
            if isinstance(batch, port.EngineGoneError):
                raise batch
            yield batch

    async def send(self, command: port.Command) -> port.Reply:
        if self._gone:
            raise self._gone
        if isinstance(command, port.Ping):
            return port.Done()
        self.sent.append(command)
        reply = self.replies.get(type(command), port.Done())
        return reply(command) if callable(reply) else reply

    async def push(
        self, *events: port.Event, totals: port.Totals | None = None, gap: bool = False
    ) -> None:
        """Send one batch; returns when the app has taken it in."""
        self._seq += max(1, len(events))
        await self._hand_over(port.Batch(self._seq, totals or self.now.totals, events, gap))

    async def break_off(self, text: str) -> None:
        """The engine is gone, until `mend`."""
        self._gone = port.EngineGoneError(text)
        self.following.clear()
        await self._batches.put(self._gone)

    def mend(self) -> None:
        """There is an engine again."""
        self._gone = None

    async def _hand_over(self, batch: port.Batch) -> None:
        await self.following.wait()
        self.following.clear()
        await self._batches.put(batch)
        await self.following.wait()
