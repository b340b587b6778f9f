"""Two calls compared: who made them, what became of them, and how their arguments differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui import detail
from mcpwall.tui.review.compare import compare_rows
from mcpwall.tui.screens.sheet import Sheet
from mcpwall.tui.widgets.fields import row_parts

if TYPE_CHECKING:
    from mcpwall.tui.detail import Known
    from mcpwall.tui.widgets.lines import Line


class PairScreen(Sheet):
    """What differs from `before` to `after`."""

    def __init__(self, before: Known, after: Known) -> None:
        super().__init__()
        self._before, self._after = before, after

    def lines(self, room: int) -> list[Line]:
        """Both calls, then every argument of either."""
        heads = [detail.head(known, room, self.wall.zone) for known in (self._before, self._after)]
        return detail.paragraphs([*heads, self._difference(room)])

    def _difference(self, room: int) -> list[Line]:
        before, after = self._before.arguments, self._after.arguments
        first, second = self._before.row.id, self._after.row.id
        if before is None or after is None:
            unknown = first if before is None else second
            return [[(f" ▲ call {unknown}: too large to be kept whole, so not compared", "warn")]]
        title: Line = [(f" ARGUMENTS: - AS IN CALL {first}, + AS IN CALL {second}", "dim")]
        rows = compare_rows(before, after, room - 2)
        return [title, *([(" ", ""), *row_parts(row)] for row in rows)]
