"""What an app is told adds up: a mirror fed by a snapshot and the feed equals a fresh snapshot."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.engine import views
from mcpwall.engine.counts import COUNTS_S
from mcpwall.engine.port import Done, Lockdown
from mcpwall.engine.port_answers import (
    CheckEdit,
    Decide,
    EditChecked,
    Match,
    Remember,
    Scope,
)
from mcpwall.engine.port_calls import Older, Rows
from mcpwall.engine.port_servers import ForgetServer
from mcpwall.engine.port_sessions import CutSession, PauseSession
from mcpwall.tui.mirror import Mirror
from tests.engine.wall import RULES, FakeClock, Wall, call, note, result

TIGHTER = RULES + '\n[[rules]]\nid = "more"\ntool = "look"\naction = "ask"\n'
PIECE = 2  # calls that a snapshot has, and a piece of older ones
DEEDS = (
    *("open", "end", "look", "count", "pay", "wipe", "answer", "fail", "cancel"),
    *("allow", "deny", "remember", "wait", "long", "edit", "lock", "fetch"),
    *("change", "pause", "cut", "attach", "older", "forget"),
)
deeds = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 3)), max_size=40)


class App:
    """A mirror, and how far it has read of the calls before its snapshot."""

    def __init__(self, wall: Wall) -> None:
        self.wall = wall
        self.mirror = Mirror()
        self.attach()

    def attach(self) -> None:
        snapshot = views.snapshot(self.wall.engine)
        assert len(snapshot.rows) <= PIECE
        self.mirror.take(snapshot, 0)
        self.piece = Rows(snapshot.rows, snapshot.left)
        self.on_its_way = False

    def read_older(self) -> None:
        """Take in the piece that is on its way, or ask for the next one."""
        if self.on_its_way:
            self.mirror.take_older(self.piece)
            self.on_its_way = False
        elif self.piece.left:
            self.piece = self.wall.do(Older(self.piece.rows[0].id))
            self.on_its_way = True

    def fetch(self) -> None:
        assert self.mirror.apply(self.wall.engine.feed.since(self.mirror.seq), 0)


class Play:
    """A wall, some sessions, and two apps that look from time to time."""

    def __init__(self, path: Path) -> None:
        self.wall = Wall(path, RULES)
        self.talks = [self.wall.session()]
        self.calls = 0
        self.wall.engine.feed.followers.add(asyncio.Event())  # as if an app was attached
        self.apps = [App(self.wall), App(self.wall)]

    def do(self, deed: str, which: int) -> None:
        wall, talk = self.wall, self.talks[which % len(self.talks)]
        match deed:
            case "open":
                self.talks.append(wall.session(client=f"agent-{which}", server=f"server-{which}"))
            case "end" if len(self.talks) > 1:
                self.talks.remove(talk)
                talk.live.end("over", "over")
            case "look" | "count" | "pay" | "wipe":
                self.calls += 1
                talk.asks(call(self.calls, deed, {"n": which}))
            case "answer" | "fail":
                for request in talk.forwarded():
                    if request.get("method") == "tools/call":
                        talk.answers(result(request["id"], isError=deed == "fail", content=[]))
            case "cancel":
                talk.asks(note("notifications/cancelled", {"requestId": self.calls}))
            case "allow" | "deny" | "remember":
                for held in wall.held[:1]:
                    scope = Scope.SESSION if which % 2 else Scope.QUARTER
                    remember = Remember(scope, Match.TOOL) if deed == "remember" else None
                    wall.decide(held, allow=deed != "deny", remember=remember)
            case "change":
                for held in wall.held[:1]:
                    ask = CheckEdit(held.row.id, held.digest, held.revision, {"n": -1})
                    if isinstance(checked := wall.do(ask), EditChecked):
                        wall.do(
                            Decide(
                                held.row.id,
                                held.digest,
                                held.revision,
                                True,
                                edited=checked.digest,
                            )
                        )
            case "pause":
                wall.do(PauseSession(talk.live.id, which % 2 == 0))
            case "cut" if len(self.talks) > 1:
                self.talks.remove(talk)
                wall.do(CutSession(talk.live.id))
            case "forget":
                for server in views.snapshot(wall.engine).servers:
                    wall.do(ForgetServer(server.name, server.hash))
            case "wait" | "long":
                wall.clock.advance(7 if deed == "wait" else 1_000)
            case "edit":
                wall.edit(TIGHTER if which % 2 else RULES)
            case "lock":
                wall.do(Lockdown(on=bool(which % 2)))
            case "fetch":
                self.apps[which % 2].fetch()
            case "attach":
                self.apps[which % 2].attach()
            case "older":
                self.apps[which % 2].read_older()


@settings(max_examples=60, deadline=None)
@given(deeds)
def test_mirrors_equal_a_fresh_snapshot(schedule):
    with tempfile.TemporaryDirectory() as path, patch.object(views, "PIECE", PIECE):
        play = Play(Path(path))
        for deed, which in schedule:
            play.do(deed, which)
        play.wall.clock.advance(COUNTS_S)
        fresh = views.snapshot(play.wall.engine)
        for app in play.apps:
            app.fetch()
            while app.piece.left or app.on_its_way:
                app.read_older()
            mirror = app.mirror
            assert mirror.seq == fresh.seq
            rows = (record.row() for record in play.wall.engine.records)
            assert mirror.rows == {row.id: row for row in rows}
            assert mirror.held == {held.row.id: held for held in fresh.held}
            assert mirror.rules == fresh.rules
            living = {row.id: row for row in mirror.sessions.values() if not row.ended}
            assert living == {row.id: row for row in fresh.sessions}
            assert mirror.servers == {row.name: row for row in fresh.servers}
            assert mirror.totals == fresh.totals
            assert mirror.status == fresh.status
        play.wall.drop()


def test_what_one_app_decides_disappears_in_the_other(wall):
    wall.engine.feed.followers.add(asyncio.Event())  # as if apps were attached
    apps = [Mirror(), Mirror()]
    for app in apps:
        app.take(views.snapshot(wall.engine), 0)
    talk = wall.session()
    talk.asks(call(1, "pay"), call(2, "pay"))
    for app in apps:
        assert app.apply(wall.engine.feed.since(app.seq), 0)
        assert list(app.held) == [1, 2]
    assert wall.decide(apps[0].held[1]).text == "allowed"
    for app in apps:
        assert app.apply(wall.engine.feed.since(app.seq), 0)
        assert list(app.held) == [2]
        assert app.released[1] == "allowed by you"
    assert isinstance(wall.decide(wall.held[0], allow=False), Done)
    apps[1].apply(wall.engine.feed.since(apps[1].seq), 0)
    assert apps[1].held == {}


@pytest.mark.parametrize("later_s", [1, -3600])  # an hour back: the system's clock was set
def test_an_app_that_followed_an_engine_before_this_one_begins_anew(wall, later_s):
    app = Mirror()
    app.take(views.snapshot(wall.engine), 0)
    clock = FakeClock("boot-2")
    clock.set_wall(wall.clock.wall_ms() + later_s * 1000)
    after = wall.killed(clock)
    after.session().asks(call(1, "look"))
    assert not app.apply(after.engine.feed.since(app.seq), 0)
    after.drop()
