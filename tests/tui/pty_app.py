"""Runs the app on the terminal it is started on, over hostile or benign text, and goes through it.

Usage: pty_app.py hostile | benign | typed (no keys of its own: the terminal's are read)
"""

from __future__ import annotations

import sys
from datetime import UTC
from typing import TYPE_CHECKING

from mcpwall.engine import port
from mcpwall.tui.app import WallApp
from tests.tui import hostile
from tests.tui.fake_port import FakePort
from tests.tui.scenes import NOW_S

if TYPE_CHECKING:
    from textual.pilot import Pilot

_KEYS = (
    "k",
    "k",
    "v",
    "=",
    "G",
    "enter",
    "pagedown",
    "escape",
    "?",
    "escape",
    "p",
    "end",
    "escape",
)


def main(kind: str) -> None:
    """Press keys that show every field, have the engine speak, then detach."""
    plain = hostile.CONTROL + hostile.MARKUP
    text = plain if kind == "hostile" else hostile.benign(plain)
    snapshot = hostile.snapshot(text)
    engine = FakePort(snapshot)
    engine.replies.update(hostile.answers(snapshot, text))

    async def go(pilot: Pilot[None]) -> None:
        await engine.following.wait()
        for key in _KEYS:
            await pilot.press(key)
            await pilot.pause()
        await engine.push(port.NoticeEvent("error", text))
        app.repaint()
        await pilot.pause()
        await pilot.press("1", "q")

    app = WallApp(engine, now=lambda: NOW_S, zone=UTC)
    app.run(auto_pilot=None if kind == "typed" else go)


if __name__ == "__main__":
    main(sys.argv[1])
