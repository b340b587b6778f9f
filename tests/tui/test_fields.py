"""The rows of arguments: only the window is drawn, and the widget knows what was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App
from textual.geometry import Size

from mcpwall.tui.review.layout import Row
from mcpwall.tui.theme import DARK, palette
from mcpwall.tui.widgets.fields import Fields, row_parts
from tests.tui.screens import resized, scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


class Alone(App[None]):
    """Nothing but the widget."""

    def compose(self) -> ComposeResult:
        yield Fields()

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name
        self.palette = palette(DARK)


class Counting:
    """A layout of `count` rows that remembers for which widths it was asked."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.widths: list[int] = []

    def __call__(self, cells: int) -> Sequence[Row]:
        self.widths.append(cells)
        return [Row("", f"row {n}") for n in range(self.count)]


@scenario
async def test_nothing_counts_as_drawn_before_it_was() -> None:
    async with Alone().run_test(size=(40, 10)) as pilot:
        fields = pilot.app.query_one(Fields)
        assert not fields.drawn
        fields.show(Counting(5))
        assert not fields.drawn
        await pilot.pause()
        assert fields.drawn
        assert fields.end_drawn
        fields.show(Counting(5))
        assert not fields.drawn
        assert not fields.end_drawn


@scenario
async def test_the_end_counts_once_its_row_was_in_the_window() -> None:
    async with Alone().run_test(size=(40, 10)) as pilot:
        fields = pilot.app.query_one(Fields)
        fields.show(Counting(25))
        await pilot.pause()
        assert (fields.drawn, fields.end_drawn, fields.above, fields.below) == (True, False, 0, 15)
        fields.move_page(1)
        await pilot.pause()
        assert (fields.end_drawn, fields.above, fields.below) == (False, 9, 6)
        fields.move_to_end()
        await pilot.pause()
        assert (fields.end_drawn, fields.above, fields.below) == (True, 15, 0)
        fields.move_to_start()
        await pilot.pause()
        assert (fields.end_drawn, fields.above) == (True, 0)


@scenario
async def test_a_resize_lays_out_anew_and_must_be_drawn_anew() -> None:
    async with Alone().run_test(size=(40, 10)) as pilot:
        fields, layout = pilot.app.query_one(Fields), Counting(5)
        fields.show(layout)
        await pilot.pause()
        await resized(pilot, 60, 10)
        assert layout.widths == [40, 60]
        assert fields.drawn


@scenario
async def test_a_hundred_thousand_rows_are_laid_out_once_and_drawn_by_the_window() -> None:
    async with Alone().run_test(size=(40, 10)) as pilot:
        fields, layout = pilot.app.query_one(Fields), Counting(100_000)
        fields.show(layout)
        await pilot.pause()
        fields.move_to_end()
        await pilot.pause()
        assert layout.widths == [40]
        assert fields.size == Size(40, 10)
        assert fields.below == 0


def test_what_stands_for_something_unseen_has_a_style_of_its_own() -> None:
    parts = row_parts(Row("a", "x·y‹ESC›z␊", 3))
    assert [part for part in parts if part[0]] == [
        ("a  ", "accent"),
        ("x", "strong"),
        ("·", "dim"),
        ("y", "strong"),
        ("‹ESC›", "warn"),
        ("z", "strong"),
        ("␊", "dim"),
    ]


def test_a_comparison_says_with_a_sign_what_was_and_what_is() -> None:
    assert [row_parts(Row("", "x", mark=mark))[0][0] for mark in ("-", "+", "=")] == [
        "- ",
        "+ ",
        "= ",
    ]
