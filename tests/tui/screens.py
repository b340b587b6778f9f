"""Runs the app on a fake engine and reads what is on its screen."""

from __future__ import annotations

import asyncio
import functools
import os
from contextlib import asynccontextmanager
from datetime import UTC
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcpwall.tui.app import WallApp
from tests.tui.rest import all_drawn
from tests.tui.scenes import NOW_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from textual.pilot import Pilot

    from tests.tui.fake_port import FakePort

WIDE, NARROW = (120, 36), (80, 24)
_GOLDEN = Path(__file__).with_name("golden")


def scenario(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """An async test, run on a loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Shown:
    """A running app: `app`, `pilot`, and the screen as plain text."""

    def __init__(self, app: WallApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys and let everything settle."""
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Draw what the mirror knows by now."""
        await self.pilot.pause()
        self.app.repaint()
        await self.pilot.pause()
        await all_drawn(self.app)

    def text(self) -> str:
        """The screen as composed, one line per row, without trailing blanks."""
        strips = self.app.screen._compositor.render_strips()
        lines = ("".join(segment.text for segment in strip).rstrip() for strip in strips)
        return "\n".join(lines) + "\n"


async def resized(pilot: Pilot[Any], width: int, height: int) -> None:
    """Another size of the terminal; Textual tells screens a moment later, here at once."""
    await pilot.resize_terminal(width, height)
    pilot.app._check_resize()
    await pilot.pause()
    await all_drawn(pilot.app)


@asynccontextmanager
async def showing(
    engine: FakePort, size: tuple[int, int] = WIDE, **options: Any
) -> AsyncIterator[Shown]:
    """The app, attached, at a frozen time."""
    options = {"now": lambda: NOW_S, "zone": UTC} | options
    app = WallApp(engine, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await engine.following.wait()
        shown = Shown(app, pilot)
        await shown.settle()
        yield shown


def golden(name: str, screen: str) -> None:
    """`screen` is what golden/NAME.txt says; MCPWALL_GOLDEN=write writes it instead."""
    file = _GOLDEN / f"{name}.txt"
    if os.environ.get("MCPWALL_GOLDEN") == "write":
        file.write_text(screen, encoding="utf-8")
    wanted = file.read_text(encoding="utf-8")
    lines = wanted.splitlines(), screen.splitlines()
    assert screen == wanted, "\n".join(unified_diff(*lines, "golden", "shown", lineterm=""))
