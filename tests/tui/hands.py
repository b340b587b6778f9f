"""A person's hands on the review screen: keys with the time of their reading, and no real time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from textual import events

from mcpwall.engine import port_answers, port_rules
from mcpwall.tui.screens.review import ReviewScreen
from tests.tui.screens import WIDE, Shown, showing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.tui.fake_port import FakePort

_HOPS = 30  # turns of the loop in which a message passes app and screen
_NAMED = {" ": ("space", " "), "!": ("exclamation_mark", "!")}


class Hands:
    """Presses keys at chosen moments; `now` is the review screen's clock, moved by `wait`."""

    def __init__(self, shown: Shown, engine: FakePort) -> None:
        self.shown, self.engine = shown, engine
        self.now = 1000.0
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def later(self, delay: float, callback: Callable[[], None]) -> None:
        self._timers.append((self.now + delay, callback))

    async def wait(self, seconds: float) -> None:
        """Let time pass, with every timer that comes due on the way, in order."""
        end = self.now + seconds
        while due := sorted((at for at, _ in self._timers if at <= end)):
            self.now = max(self.now, due[0])
            ready = [callback for at, callback in self._timers if at <= self.now]
            self._timers = [(at, callback) for at, callback in self._timers if at > self.now]
            for callback in ready:
                callback()
            for _ in range(_HOPS):
                await asyncio.sleep(0)
        self.now = end
        await self.shown.settle()

    async def read(self, *keys: str, gap: float = 0.0, ago: float = 0.0) -> None:
        """Keys as the input thread would hand them over, all read before any is handled."""
        for number, key in enumerate(keys):
            event = events.Key(*_NAMED.get(key, (key, key if len(key) == 1 else None)))
            event.time = self.now - ago + number * gap
            self.post(event)
        self.now += gap * (len(keys) - 1)
        await self.shown.settle()

    async def paste(self, text: str) -> None:
        event = events.Paste(text)
        event.time = self.now
        self.post(event)
        await self.shown.settle()

    def post(self, event: events.Event) -> None:
        event.set_sender(self.shown.app)
        assert self.shown.app._driver is not None
        self.shown.app._driver.send_message(event)

    @property
    def screen(self) -> ReviewScreen:
        return cast("ReviewScreen", self.shown.app.screen)

    @property
    def decided(self) -> list[port_answers.Decide]:
        return [command for command in self.engine.sent if isinstance(command, port_answers.Decide)]

    def line(self, word: str) -> str:
        """The first line on screen that has `word` in it, or nothing."""
        return next((line for line in self.shown.text().splitlines() if word in line), "")


@asynccontextmanager
async def reviewing(
    engine: FakePort, call: int | None = None, size: tuple[int, int] = WIDE
) -> AsyncIterator[Hands]:
    """Review, just opened on `call` or on the next to expire, painted at this very moment."""
    engine.replies.setdefault(port_rules.Preview, port_rules.Previewed(500, (1, 2, 3)))
    async with showing(engine, size) as shown:
        hands = Hands(shown, engine)
        screen = cast("ReviewScreen", shown.app.wall("review"))
        screen.steady, screen.later = lambda: hands.now, hands.later
        shown.app.open("review")
        await shown.settle()
        if call is not None:
            screen.show_call(call)
            await shown.settle()
        yield hands
