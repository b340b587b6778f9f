"""Notices lie over lists alone: never over keys, what waits, or what is decided on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tui.fake_port import FakePort
from tests.tui.scenes import busy, empty
from tests.tui.screens import NARROW, WIDE, scenario, showing

# What a notice never covers, but for the first row of a screen: there stands what it is.
_KEPT = "Footer, WaitingStrip, FilterLine, #head, #state, #asked, #answers, Fields"
_LONG = " ".join(["§§§§§§§"] * 12)
if TYPE_CHECKING:
    from textual.geometry import Region

SCREENS = {
    **{key: (key,) for key in "123456"},
    "help": ("?",),
    "full view": ("enter",),
    "form": ("3", "n"),
    "group": ("2", "*"),
}


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), (40, 12)], ids=str)
@pytest.mark.parametrize("keys", SCREENS.values(), ids=list(SCREENS))
@scenario
async def test_a_notice_covers_no_key_and_nothing_that_is_decided_on(
    keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    async with showing(FakePort(busy()), size) as shown:
        await shown.press(*keys)
        kept = [row for each in shown.app.screen.query(_KEPT) for row in rows(each.region) if row]
        for number in range(4):
            shown.app.say(f"{number} {_LONG}", "warning")
        await shown.settle()
        await shown.settle()
        lines = shown.text().splitlines()
        assert any("§" in line for line in lines)
        assert not [lines[row] for row in kept if "§" in lines[row]]


def rows(region: Region) -> range:
    return range(region.y, region.bottom)


@scenario
async def test_of_too_many_notices_the_last_is_in_sight() -> None:
    async with showing(FakePort(empty()), (40, 12)) as shown:
        for number in range(5):
            shown.app.say(f"{number} {_LONG}", "error")
        await shown.settle()
        await shown.settle()
        assert "4 §§§" in shown.text()


@scenario
async def test_a_long_notice_is_whole_in_a_small_window() -> None:
    async with showing(FakePort(busy()), (40, 12)) as shown:
        shown.app.filter_calls("nope:x")
        await shown.settle()
        await shown.settle()
        words = shown.text().replace("▌", "")
        assert "put the text in quotes (at character 1)" in " ".join(words.split())
