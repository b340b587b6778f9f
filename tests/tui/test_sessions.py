"""The sessions screen: who is connected, what they did, and how to stop one of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_sessions
from mcpwall.tui.activity import counts, curve
from mcpwall.tui.screens.calls import CallsScreen
from tests.tui.fake_port import FakePort
from tests.tui.scenes import NOW_MS, busy
from tests.tui.screens import NARROW, WIDE, golden, scenario, showing


def sent(fake: FakePort, kind: type) -> list[port.Command]:
    return [command for command in fake.sent if isinstance(command, kind)]


def test_a_curve_shows_where_the_calls_were() -> None:
    assert curve([0, 10, 10, 90], 100, 100, 10) == "▄█       ▄"
    assert curve([], 100, 100, 4) == "    "
    assert curve([50], 100, 100, 0) == ""
    assert curve([-5, 100, 200], 100, 100, 4) == "    "


def test_calls_are_counted_by_session_and_outcome() -> None:
    found = counts(busy().rows, 0)["s1"]
    assert (found.passed, found.refused, found.limited, found.failed) == (9, 1, 1, 1)


def test_calls_of_before_are_not_counted() -> None:
    newest_first = list(reversed(busy().rows))
    since = newest_first[2].at_ms
    found = counts(newest_first, since)
    moments = [at for count in found.values() for at in count.moments]
    assert moments
    assert min(moments) >= since
    assert sum(row.at_ms >= since for row in newest_first) == len(moments)


@scenario
async def test_a_session_is_paused_at_once_and_let_on_after_a_confirm() -> None:
    fake = FakePort(busy())
    async with showing(fake) as shown:
        await shown.press("5", "space")
        assert sent(fake, port_sessions.PauseSession) == [port_sessions.PauseSession("s1", True)]
        paused = replace(busy().sessions[0], paused=True)
        await fake.push(port.SessionEvent(paused))
        await shown.settle()
        assert "■ paused" in shown.text()
        await shown.press("space")
        assert len(sent(fake, port_sessions.PauseSession)) == 1
        await shown.press("y")
        assert sent(fake, port_sessions.PauseSession)[-1] == port_sessions.PauseSession("s1", False)


@scenario
async def test_a_session_is_cut_off_after_a_confirm() -> None:
    fake = FakePort(busy())
    async with showing(fake) as shown:
        await shown.press("5", "down", "x")
        assert sent(fake, port_sessions.CutSession) == []
        assert "codex#1 → filesystem" in shown.text()
        await shown.press("enter")
        assert sent(fake, port_sessions.CutSession) == []
        await shown.press("y")
        assert sent(fake, port_sessions.CutSession) == [port_sessions.CutSession("s2")]


@scenario
async def test_an_ended_session_says_why_and_cannot_be_stopped_again() -> None:
    snapshot = busy()
    ended = replace(snapshot.sessions[0], ended="the server exited with code 1")
    fake = FakePort(replace(snapshot, sessions=(ended,)))
    async with showing(fake) as shown:
        await shown.press("5", "x")
        assert "this session is over" in shown.text()
        assert "the server exited with code 1" in shown.text()
        assert sent(fake, port_sessions.CutSession) == []


@scenario
async def test_where_there_are_too_many_calls_to_count_it_is_said_how_far_back_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mcpwall.tui.screens.sessions._LOOK_BACK", 3)
    oldest = busy().rows[-3]
    span = (NOW_MS - oldest.at_ms) // 1000
    async with showing(FakePort(busy())) as shown:
        await shown.press("5")
        assert f"WAIT  {span}s " in shown.text()
        assert "10 MIN" not in shown.text()


@scenario
async def test_from_a_session_to_its_calls() -> None:
    async with showing(FakePort(busy())) as shown:
        await shown.press("5", "enter")
        assert isinstance(shown.app.screen, CallsScreen)
        assert 'session:"s1"' in shown.text()


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_the_sessions_screen(name: str, size: tuple[int, int]) -> None:
    async with showing(FakePort(busy()), size) as shown:
        await shown.press("5")
        golden(f"sessions-{name}", shown.text())
