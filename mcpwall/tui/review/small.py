"""Review where there is little room: what a decision rests on, scrolled as one. Pure.

In a large window the arguments scroll and all else stands around them. Here who asks, what for,
what to look at twice, the arguments and the reasons are one run of rows, whole and in that order,
so that whoever has seen its end has had all of it on screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.text import fit
from mcpwall.tui.review.layout import Row, flowing, prose, safe
from mcpwall.tui.review.memory import SCOPES
from mcpwall.tui.review.panels import SCOPE_WORDS, place_words, step_words, time_left
from mcpwall.tui.widgets.lines import spread
from mcpwall.tui.words import called, many, risk, wants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpwall.engine.port_sessions import SessionRow
    from mcpwall.tui.review.reading import Reading
    from mcpwall.tui.review.rows import Piece
    from mcpwall.tui.widgets.lines import Line, Part

_INDENT = 2


def pieces(reading: Reading, session: SessionRow | None, cells: int) -> Iterator[Piece]:
    """All that a decision rests on, wrapped to `cells` terminal cells."""
    yield lambda: _before(reading, session, cells)
    yield from reading.pieces(cells)
    yield lambda: _behind(reading, cells)


def _before(reading: Reading, session: SessionRow | None, cells: int) -> list[Row]:
    held = reading.held
    row = held.row
    found: list[Row] = []
    if reading.memory.remember():
        lasts = SCOPE_WORDS[SCOPES[reading.memory.scope]]
        words = step_words(reading.memory.chosen, held)
        found += _said("▲", f"the answer holds {lasts}, for {words}", cells)
    if reading.edit:
        found += _said("▲", "the arguments are as you edited them", cells)
    found += [Row("", part) for part in flowing(safe(wants(row)), cells)]
    found += [Row("", part) for part in flowing(safe(called(row)), cells)]
    found += [Row("", part) for part in flowing(place_words(row.server, session), cells)]
    if reading.counts and (hidden := reading.counts.hidden):
        words = f"{many(hidden, 'character')} that a terminal would hide or obey, shown as ‹ ›"
        found += _said("▲", words, cells)
    for text in reading.flags:
        found += _said("▲", safe(text), cells)
    return [*found, _line("ARGUMENTS", cells)]


def _behind(reading: Reading, cells: int) -> list[Row]:
    found = [_line("WHY YOU ARE ASKED", cells)]
    for text in reading.held.why:
        found += _said("·", safe(text), cells)
    return [*found, *_said("·", f"sha256 {reading.digest[:8]}…", cells)]


def head(reading: Reading, place: tuple[int, int], now_ms: float, room: int) -> list[Line]:
    """Which of the waiting calls, how bad it can be, how long it waits; and what it is."""
    held = reading.held
    word, style = risk(held.row)
    left: list[Part] = [(f" {place[0]} of {place[1]}  ", "title"), (word, style)]
    if reading.edit:
        left.append(("  EDITED", "warn"))
    right: Part = ("over ", "alarm") if reading.over else time_left(held, now_ms, room)
    name = fit(called(held.row), room - 2)
    return [spread(left, [right], room), [(f" {name}", "strong")]]


def foot(reading: Reading, above: int, below: int, room: int, *, whole: bool) -> Line:
    """Whether all of it has been in the window, and how much there is; see `panels.foot`."""
    shown, more = "all shown", below > 0 or not whole
    if not whole:
        shown = f"{below:,} and more lines"
    elif below:
        shown = many(below, "more line")
    elif above:
        shown = "end shown"
    left: list[Part] = [(f" {shown}", "warn" if more else "dim")]
    left.append((f" · {reading.size:,} bytes", "dim"))
    view = reading.view.value
    end: Part = ("MORE ▼ ", "warn") if more else ("END ▪ ", "strong")
    return spread(left, [(f"{view} " if view != "fields" else "", "accent"), end], room)


def _said(sign: str, words: str, cells: int) -> list[Row]:
    """A sentence of safe text behind a sign."""
    first, *more = prose(words, cells - _INDENT)
    return [Row(sign, first, _INDENT), *(Row("", part, _INDENT) for part in more)]


def _line(words: str, cells: int) -> Row:
    return Row("", f"── {words} ".ljust(cells, "─"))
