"""The app's hold on the engine: follows its feed, attaches again, and notices that it is silent.

An engine that was stopped keeps its connections and says nothing. So it is asked for a sign of life
now and then: whoever trusts the word GUARDING must be able to.
"""

from __future__ import annotations

import asyncio
from asyncio import sleep
from asyncio import sleep as pause  # the one that tests hold
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.app import App

from mcpwall.engine import port, port_calls
from mcpwall.tui.mirror import Mirror
from mcpwall.tui.words import GONE, SILENT, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_S = 0.25  # how long a first answer is waited for
_REATTACH_S = 1.0
_PULSE_S = 2.0  # between two signs of life that are asked for
_SLOW_S = 5.0  # an engine that answers later is busy, or stopped
_NO_ANSWER = "the engine does not answer: it is stopped, or very busy"


class Attached(App[None], inherit_bindings=False):
    """An app with `engine` and a `mirror` of it. `now` gives seconds since the epoch."""

    engine_gone = ""  # why nothing can be asked of the engine now; empty while it is there
    engine_away: Standing | None = None  # the same in a word

    def __init__(self, engine: port.EnginePort, now: Callable[[], float]) -> None:
        super().__init__()
        self.engine = engine
        self.now = now
        self.mirror = Mirror()
        self._answered = asyncio.Event()  # the engine has, or is gone

    def attach(self) -> None:
        """Follow the engine from now on."""
        self.run_worker(self._stay_attached(), name="feed")
        self.run_worker(self._feel_pulse(), name="pulse")

    async def first_answer(self) -> None:
        """Wait until the engine has answered for the first time, or is gone, or takes its time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._answered.wait(), _FIRST_S)

    def repaint(self) -> None:
        """The mirror may have changed."""
        raise NotImplementedError

    def engine_changed(self) -> None:
        """The engine is gone, or silent, or back."""
        raise NotImplementedError

    async def send(self, command: port.Command) -> port.Reply:
        """Ask something of the engine; when it is gone, that is a Refused like any other."""
        late = self.set_timer(_SLOW_S, lambda: self._away(SILENT, _NO_ANSWER))
        try:
            reply = await self.engine.send(command)
        except port.EngineGoneError as gone:
            return port.Refused(str(gone))
        finally:
            late.stop()
        if self.engine_away is SILENT:
            self._away(None)
        return reply

    async def _feel_pulse(self) -> None:
        while True:
            await sleep(_PULSE_S)
            await self.send(port.Ping())

    async def _stay_attached(self) -> None:
        while True:
            try:
                await self._follow()
            except port.EngineGoneError as gone:
                self._away(GONE, str(gone) or "the engine cannot be reached")
                self._answered.set()
            await pause(_REATTACH_S)

    async def _follow(self) -> None:
        """Follow the feed from a snapshot, and from a new one after each gap."""
        while True:
            snapshot = await self.engine.snapshot()
            self.mirror.take(snapshot, self.now())
            self.run_worker(self._read_older(snapshot), group="older", exclusive=True)
            self._away(None)
            self._answered.set()
            self.repaint()
            async for batch in self.engine.feed(self.mirror.seq):
                if not self.mirror.apply(batch, self.now()):
                    break
            else:
                return

    async def _read_older(self, snapshot: port.Snapshot) -> None:
        """Ask for the calls that a snapshot left out, a piece at a time, while the feed goes on."""
        piece = port_calls.Rows(snapshot.rows, snapshot.left)
        while piece.left and piece.rows:
            reply = await self.send(port_calls.Older(piece.rows[0].id))
            if not isinstance(reply, port_calls.Rows):
                return
            piece = reply
            self.mirror.take_older(piece)

    def _away(self, away: Standing | None, why: str = "") -> None:
        if (away, why) != (self.engine_away, self.engine_gone):
            self.engine_away, self.engine_gone = away, why
            self.engine_changed()
