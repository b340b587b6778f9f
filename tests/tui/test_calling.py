"""Calling for a person who looks elsewhere: what goes to the terminal, and how often."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mcpwall.engine import port
from mcpwall.tui.calling import KEEP_TITLE, PAUSE_S, PUT_TITLE_BACK, Calling
from mcpwall.tui.settings import Settings
from tests.tui import hostile
from tests.tui.fake_port import FakePort
from tests.tui.scenes import busy
from tests.tui.screens import scenario, showing


def test_a_call_that_comes_to_wait_rings_once_and_names_the_number() -> None:
    calling = Calling(bell=True, notify="osc9")
    assert calling.step([], 0, focused=False) == "\x1b]2;mcpwall\x07"
    told = calling.step([1], 1, focused=False)
    assert "\x1b]2;(1) mcpwall: a call waits for you\x07" in told
    assert told.endswith("\x07\x1b]9;a call waits for you\x07")
    assert calling.step([1], 100, focused=False) == ""


def test_more_of_them_within_a_while_do_not_ring_again() -> None:
    calling = Calling(bell=True, notify="off")
    calling.step([1], 0, focused=False)
    assert calling.step([1, 2], PAUSE_S - 1, focused=False) == (
        "\x1b]2;(2) mcpwall: 2 calls wait for you\x07"
    )
    assert calling.step([1, 2, 3], PAUSE_S, focused=False).endswith("\x07\x07")


def test_the_title_says_that_the_engine_is_away_until_it_is_back() -> None:
    calling = Calling(bell=False, notify="off")
    calling.step([1], 0, focused=True)
    assert calling.away("no answer") == "\x1b]2;mcpwall: no answer\x07"
    assert calling.step([1, 2], 50, focused=True) == ""
    assert calling.away("") == "\x1b]2;(2) mcpwall: 2 calls wait for you\x07"


def test_a_person_who_is_here_gets_no_notification() -> None:
    calling = Calling(bell=False, notify="osc777")
    assert "777" not in calling.step([1], 0, focused=True)
    assert calling.step([1, 2], 50, focused=False).endswith(
        "\x1b]777;notify;mcpwall;2 calls wait for you\x07"
    )


def test_one_that_was_answered_does_not_ring() -> None:
    calling = Calling(bell=True, notify="osc9")
    calling.step([1, 2], 0, focused=False)
    assert calling.step([2], 100, focused=False) == "\x1b]2;(1) mcpwall: a call waits for you\x07"


@pytest.mark.parametrize("snapshot", [busy(), hostile.snapshot()], ids=["busy", "hostile"])
@scenario
async def test_p10_the_app_tells_the_terminal_numbers_and_no_names(snapshot: port.Snapshot) -> None:
    fake = FakePort(replace(snapshot, held=()))
    async with showing(fake, settings=Settings(notify="osc9")) as shown:
        sent: list[str] = []
        assert shown.app._driver is not None
        shown.app._driver.write = sent.append  # type: ignore[method-assign]
        await fake.push(*(port.HeldEvent(held) for held in snapshot.held))
        await shown.settle()
        count = len(snapshot.held)
        words = "a call waits for you" if count == 1 else f"{count} calls wait for you"
        assert sent == [f"\x1b]2;({count}) mcpwall: {words}\x07\x07"]
    assert PUT_TITLE_BACK in sent
    assert KEEP_TITLE not in sent


@scenario
async def test_a_chosen_theme_is_remembered_and_begun_with() -> None:
    chosen: list[str] = []
    settings = Settings(theme="light", remember=chosen.append)
    async with showing(FakePort(busy()), settings=settings) as shown:
        assert shown.app.theme == "mcpwall-light"
        await shown.press("ctrl+t")
        assert shown.app.theme == "mcpwall-contrast"
        await shown.press("ctrl+t")
        assert chosen == ["contrast", "dark"]
