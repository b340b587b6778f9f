"""The columns of the call table: which there are in a given width, and a call in them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mcpwall.text import clip, column, fit, summary
from mcpwall.tui.call_list import CallLine
from mcpwall.tui.marks import SIGN
from mcpwall.tui.timing import clock, stamp, took
from mcpwall.tui.widgets.lines import filled
from mcpwall.tui.words import called, short_agent, standing

if TYPE_CHECKING:
    from datetime import tzinfo

    from mcpwall.engine.port_calls import Row
    from mcpwall.tui.widgets.lines import Part

_TIME, _TOOK = 8, 5
_CALLED_MIN, _ARGUMENTS_MIN = 12, 6  # fewer cells say nothing
_GAPS = 7  # the cursor's column, a blank between columns and one behind the last


class Columns(NamedTuple):
    """Widths in terminal cells; 0 leaves a column out."""

    agent: int
    called: int
    arguments: int
    verdict: int
    took: int


def columns(cells: int) -> Columns:
    """How `cells` are divided; sane from 34 cells up."""
    took_cells = _TOOK if cells >= 72 else 0  # noqa: PLR2004 - below it the verdict needs the room
    agent = 9 if cells >= 60 else 0  # noqa: PLR2004 - below it agents have no column
    verdict = 13 if cells >= 40 else 10  # noqa: PLR2004 - the smallest screen
    free = cells - _GAPS - _TIME - took_cells - agent - verdict
    if free > 60:  # noqa: PLR2004 - room for whole names
        agent, free = agent + 5, free - 5
        verdict, free = verdict + 3, free - 3
    called_cells = min(32, max(_CALLED_MIN, free * 11 // 20))
    if free - called_cells < _ARGUMENTS_MIN:
        return Columns(agent, max(_CALLED_MIN, free + 1), 0, verdict, took_cells)
    return Columns(agent, called_cells, free - called_cells, verdict, took_cells)


def heading(widths: Columns) -> list[Part]:
    """The line above the table."""
    names = (
        (_TIME, "TIME"),
        (widths.agent, "AGENT"),
        (widths.called, "SERVER.TOOL"),
        (widths.arguments, "ARGUMENTS"),
        (widths.verdict, "VERDICT"),
    )
    line = " ".join(["", *(f"{name:{cells}}"[:cells] for cells, name in names if cells)])
    return [(line + (f" {'TOOK':>{_TOOK}}" if widths.took else ""), "dim")]


def call_line(
    line: CallLine,
    widths: Columns,
    zone: tzinfo | None,
    *,
    left: str = "",
    cursor: bool = False,
    marked: bool = False,
) -> list[Part]:
    """One line of the table; `left` is the time that a waiting call has left."""
    row, many = line.row, line.count
    stands = standing(row)
    times = f" ×{many}" if many > 1 else ""
    verdict = clip(str(stands), widths.verdict - len(times)) + times
    parts: list[Part] = [
        ("▌" if cursor else " ", "accent"),
        (clock(row.at_ms, zone), "dim"),
        (SIGN if marked else " ", "accent"),
    ]
    if widths.agent:
        parts.append((filled(short_agent(row.agent, widths.agent), widths.agent) + " ", ""))
    parts += [
        (column(called(row), widths.called) + " ", "strong" if cursor else ""),
    ]
    if widths.arguments:
        text = summary(row.preview, widths.arguments)
        parts.append((filled(text, widths.arguments) + " ", "dim"))
    parts += [
        (filled(verdict, widths.verdict), stands.style),
    ]
    if widths.took:
        last = (left, stands.style) if left else (took(row.took_us), "dim")
        parts.append((f" {fit(last[0], _TOOK):>{_TOOK}}", last[1]))
    return parts


def stamped_line(row: Row, widths: Columns, zone: tzinfo | None) -> list[Part]:
    """A call with its date and time, for a table of long ago."""
    cursor, _, gap, *rest = call_line(CallLine(row), widths, zone)
    return [cursor, (stamp(row.at_ms, zone), "dim"), gap, *rest]
