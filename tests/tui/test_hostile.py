from __future__ import annotations

import unicodedata

import pytest
from textual.events import Paste

from mcpwall.engine import port, port_answers
from mcpwall.text import visible
from tests.tui import hostile
from tests.tui.fake_port import FakePort
from tests.tui.screens import NARROW, WIDE, Shown, scenario, showing

_FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def engine() -> FakePort:
    snapshot = hostile.snapshot()
    fake = FakePort(snapshot)
    fake.replies.update(hostile.answers(snapshot))
    return fake


def assert_harmless(shown: Shown) -> None:
    """No character that a terminal obeys or hides, and no markup became a style."""
    for strip in shown.app.screen._compositor.render_strips():
        for segment in strip:
            bad = [char for char in segment.text if unicodedata.category(char) in _FORBIDDEN]
            assert not bad, segment
            style = segment.style
            assert style is None or (style.link is None and "@click" not in style.meta), segment


@pytest.fixture(autouse=True)
def nothing_left_for_the_last_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each field is made visible where it is put into a line, not by the last look alone."""

    def caught(text: str) -> str:
        pytest.fail(f"foreign text went into a line as it is: {text!r}")

    monkeypatch.setattr("mcpwall.tui.widgets.lines.visible", caught)


# Every screen, every way to show a call, what the engine says, and what is typed or pasted.
PATHS = {
    "calls": (),
    "calls, each row": ("k",) * 7,
    "raw": ("v",),
    "diff": ("=",),
    "full view": ("G", "enter", "pagedown", "pagedown", "v", "end"),
    "help": ("?",),
    "review": ("p", "end", "v", "=", "]", "s", "tab"),
    "edit": ("p", "e", "pagedown"),
    "servers": ("4", "down", "pagedown", "c", "end", "escape", "m", "n", "r"),
    "risk": ("4", "down", "R", "up", "pagedown", "ctrl+s"),
    "sessions": ("5", "x", "n", "enter"),
    "audit": ("6", "down", "enter", "escape", "s", "a"),
    "rules": ("3", "g", "space", "G"),
    "a rule tested": ("3", "t", "escape", "l"),
    "rule from a call": ("r",),
    "rule from marked calls": ("space", "k", "space", "r"),
    "marked calls compared": ("space", "k", "space", "=", "pagedown"),
    "stop": ("Q",),
    "palette": (":",),
    "refusal": ("L",),
}


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("keys", PATHS.values(), ids=PATHS)
@scenario
async def test_p10_hostile_text_is_harmless_on(
    keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    async with showing(engine(), size) as shown:
        assert_harmless(shown)
        for key in keys:
            await shown.press(key)
            assert_harmless(shown)
        assert shown.app.is_running


@scenario
async def test_p10_what_the_engine_says_is_harmless() -> None:
    fake = engine()
    nasty = hostile.CONTROL + hostile.MARKUP
    async with showing(fake) as shown:
        await fake.push(port.NoticeEvent("error", nasty), port.NoticeEvent(nasty, nasty))
        await shown.settle()
        await shown.settle()
        assert len(shown.app._notifications) == 2
        assert "‹ESC›[2J" in shown.text()
        assert "[/foo][bold]" in shown.text()
        assert_harmless(shown)
        await fake.push(port.ReleasedEvent(1, nasty))
        await fake.break_off(nasty)
        await shown.settle()
        assert "NO ENGINE" in shown.text()
        assert_harmless(shown)


@scenario
async def test_p10_a_paste_into_the_filter_is_harmless() -> None:
    async with showing(engine()) as shown:
        await shown.press("/")
        shown.app.post_message(Paste(hostile.CONTROL + hostile.MARKUP))
        await shown.settle()
        assert "␛[2J␛]0;owned␇" in shown.text()
        assert_harmless(shown)
        await shown.press("enter")
        assert_harmless(shown)


@scenario
async def test_p10_an_edited_call_and_what_is_wrong_with_one_are_harmless() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("p", "e", "ctrl+s")
        assert "EDITED BY YOU" in shown.text()
        assert_harmless(shown)
        fake.replies[port_answers.CheckEdit] = port.Refused((hostile.CONTROL + hostile.MARKUP) * 2)
        await shown.press("e", "ctrl+s")
        assert "‹ESC›" in shown.text()
        assert_harmless(shown)


@scenario
async def test_the_last_look_catches_what_was_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcpwall.tui.widgets.lines.visible", visible)
    monkeypatch.setattr("mcpwall.tui.columns.column", lambda *_: hostile.CONTROL)
    async with showing(engine()) as shown:
        assert " ‹ESC›[2J" in shown.text()
        assert_harmless(shown)


@scenario
async def test_the_check_itself_sees_raw_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcpwall.tui.widgets.lines.visible", str)
    monkeypatch.setattr("mcpwall.tui.columns.column", lambda *_: hostile.CONTROL)
    async with showing(engine()) as shown:
        with pytest.raises(AssertionError):
            assert_harmless(shown)
