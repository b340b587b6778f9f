"""Runs the app on the terminal it is started on, over hostile or benign text, and goes through it.

Usage: pty_app.py hostile | benign | typed (no keys of its own: the terminal's are read)
"""

from __future__ import annotations

import sys
from datetime import UTC
from typing import TYPE_CHECKING

from mcpwall.engine import port
from mcpwall.tui.app import WallApp
from mcpwall.tui.screens.accept import AcceptScreen
from mcpwall.tui.screens.affected import AffectedScreen
from mcpwall.tui.screens.audit import AuditScreen
from mcpwall.tui.screens.call import CallScreen
from mcpwall.tui.screens.calls import CallsScreen
from mcpwall.tui.screens.edit import EditScreen
from mcpwall.tui.screens.help import HelpScreen
from mcpwall.tui.screens.review import ReviewScreen
from mcpwall.tui.screens.rules import RulesScreen
from mcpwall.tui.screens.servers import ServersScreen
from mcpwall.tui.screens.sessions import SessionsScreen
from tests.tui import hostile
from tests.tui.fake_port import FakePort
from tests.tui.scenes import NOW_S

if TYPE_CHECKING:
    from textual.pilot import Pilot

_STEPS = (  # a key, and the screen that is shown then
    *((key, CallsScreen) for key in "kkv=G"),
    ("enter", CallScreen),
    ("pagedown", CallScreen),
    ("escape", CallsScreen),
    ("?", HelpScreen),
    ("escape", CallsScreen),
    ("p", ReviewScreen),
    ("end", ReviewScreen),
    ("e", EditScreen),
    ("ctrl+s", ReviewScreen),
    *((key, RulesScreen) for key in ("3", "down")),
    ("t", AffectedScreen),
    ("escape", RulesScreen),
    *((key, ServersScreen) for key in ("4", "down", "pagedown")),
    ("c", AcceptScreen),
    ("escape", ServersScreen),
    ("5", SessionsScreen),
    *((key, AuditScreen) for key in ("6", "down")),
    ("1", CallsScreen),
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
        for key, screen in _STEPS:
            await pilot.press(key)
            while not isinstance(app.screen, screen):
                await pilot.pause()
            await pilot.pause()
        await engine.push(port.NoticeEvent("error", text))
        app.repaint()
        await pilot.pause()
        await pilot.press("q")

    app = WallApp(engine, now=lambda: NOW_S, zone=UTC)
    app.run(auto_pilot=None if kind == "typed" else go)


if __name__ == "__main__":
    main(sys.argv[1])
