from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpwall.tui.theme import DARK, LIGHT, palette
from mcpwall.tui.widgets.lines import LineWidget
from tests.tui.fake_port import FakePort
from tests.tui.scenes import busy
from tests.tui.screens import Shown, scenario, showing

if TYPE_CHECKING:
    from textual.strip import Strip

    from mcpwall.tui.widgets.lines import Line


class Said(LineWidget):
    """Two lines: what it is told, and one that stays."""

    DEFAULT_CSS = "Said { dock: top; width: 30; height: 2; layer: over; }"

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[tuple[str, str]] = [("one", "")]
        self.cursor = 1
        self.asked = 0

    def line(self, y: int) -> Line:
        self.asked += 1
        return [("stays", "dim")] if y else self.parts

    def marked(self, y: int) -> bool:
        return y == self.cursor

    def drawn(self) -> list[Strip]:
        return self.render_lines(self.size.region)

    def texts(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.drawn()]

    def colours(self, y: int) -> tuple[str, str]:
        style = next(iter(self.drawn()[y])).style
        assert style
        assert style.color
        assert style.bgcolor
        return style.color.name, style.bgcolor.name


async def said(shown: Shown) -> Said:
    widget = Said()
    await shown.app.screen.mount(widget)
    await shown.pilot.pause()
    return widget


@scenario
async def test_lines_are_asked_for_once_until_they_are_refreshed() -> None:
    async with showing(FakePort(busy())) as shown:
        widget = await said(shown)
        widget.refresh()
        assert widget.texts() == ["one", "stays"]
        widget.asked = 0
        assert widget.texts() == ["one", "stays"]
        assert widget.asked == 0
        widget.refresh()
        assert widget.texts() == ["one", "stays"]
        assert widget.asked == 2


@scenario
async def test_a_line_that_says_the_same_is_not_drawn_anew() -> None:
    async with showing(FakePort(busy())) as shown:
        widget = await said(shown)
        first, second = widget.drawn()
        widget.parts = [("two", "")]
        widget.refresh()
        assert widget.drawn()[0].text.rstrip() == "two"
        assert widget.drawn()[0] is not first
        assert widget.drawn()[1] is second


@scenario
async def test_a_line_that_moves_is_not_drawn_anew() -> None:
    async with showing(FakePort(busy())) as shown:
        widget = await said(shown)
        widget.cursor = 9
        widget.refresh()
        stays = widget.drawn()[1]
        widget.parts = [("stays", "dim")]
        widget.refresh()
        assert widget.drawn() == [stays, stays]
        assert widget.drawn()[0] is stays


@scenario
async def test_parts_that_look_alike_are_one_segment() -> None:
    async with showing(FakePort(busy())) as shown:
        widget = await said(shown)
        widget.parts = [(" ", "accent"), ("one", "dim"), (" ", ""), (" two", "dim"), ("3", "ok")]
        widget.refresh()
        assert [segment.text for segment in widget.drawn()[0]] == [" one  two", "3", " " * 20]


@scenario
async def test_a_list_of_parts_that_grew_is_another_line() -> None:
    async with showing(FakePort(busy())) as shown:
        widget = await said(shown)
        assert widget.texts()[0] == "one"
        widget.parts.append((" two", ""))
        widget.refresh()
        assert widget.texts()[0] == "one two"


@scenario
async def test_the_cursor_moves_between_lines_that_say_the_same() -> None:
    async with showing(FakePort(busy())) as shown:
        widget = await said(shown)
        cursor, plain = palette(DARK)["cursor"].bgcolor, DARK.background
        assert cursor
        assert [widget.colours(y)[1] for y in (0, 1)] == [plain, cursor.name]
        widget.cursor = 0
        widget.refresh()
        assert [widget.colours(y)[1] for y in (0, 1)] == [cursor.name, plain]


@scenario
async def test_another_theme_colours_lines_that_say_the_same() -> None:
    async with showing(FakePort(busy())) as shown:
        widget = await said(shown)
        assert widget.colours(0) == (DARK.foreground, DARK.background)
        while shown.app.theme != LIGHT.name:
            await shown.press("ctrl+t")
        assert widget.colours(0) == (LIGHT.foreground, LIGHT.background)


@scenario
async def test_another_width_is_filled_to_its_end() -> None:
    async with showing(FakePort(busy())) as shown:
        widget = await said(shown)
        assert [strip.cell_length for strip in widget.drawn()] == [30, 30]
        widget.styles.width = 12
        await shown.pilot.pause()
        assert [strip.cell_length for strip in widget.drawn()] == [12, 12]


@scenario
async def test_without_colours_none_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with showing(FakePort(busy())) as shown:
        widget = await said(shown)
        for colour in widget.colours(0):
            red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
            assert red == green == blue


@scenario
async def test_a_part_of_a_widget_is_cut_out_of_its_lines() -> None:
    async with showing(FakePort(busy())) as shown:
        widget = await said(shown)
        region = widget.size.region
        below = widget.render_lines(region.shrink((1, 0, 0, 2)))
        assert [strip.text.rstrip() for strip in below] == ["ays"]
        assert below[0].cell_length == 28
