"""The lines of the call table: filtered, identical neighbours folded, one of them selected.

Pure: calls in, lines out; the widget that draws them is `tui.widgets.calls_table`. A line stands
for one call or for several consecutive ones that are alike in everything but time. Only finished
calls fold, so a line never has to hide that one of its calls went another way. The selection is a
call, not a place: it stays on its call whatever happens around it.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpwall.engine.port import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mcpwall.engine.port import Row
    from mcpwall.tui.mirror import Mirror

_OPEN = (State.HELD, State.RESERVING, State.RUNNING)


@dataclass(slots=True)
class CallLine:
    """One line. `calls` are the ids that it stands for, ascending; `row` is the newest of them."""

    row: Row
    calls: list[int]


def alike(one: Row, other: Row) -> bool:
    """Whether two calls fold: finished, and the same but for their time."""
    return (
        one.digest == other.digest
        and one.state is other.state
        and one.state not in _OPEN
        and one.session == other.session
        and one.agent == other.agent
        and one.verdict.cause is other.verdict.cause
        and one.verdict.rules == other.verdict.rules
        and one.note == other.note
    )


class CallList:
    """The lines over a mirror's calls, all of them until `filter` says which."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._keep: Callable[[Row], bool] | None = None
        self.lines: list[CallLine] = []
        self.matching = 0  # calls in all lines
        self.selected: int | None = None  # a call's id
        self.following = True  # the selection is the newest call
        self.fresh = 0  # calls that came since following stopped
        self._newest = 0
        self._offset = 0  # rows between the top of the window and the selected line
        self.start_over()

    def filter(self, keep: Callable[[Row], bool] | None) -> None:
        """List only the calls that `keep` lets pass; None lists all."""
        self._keep = keep
        self.start_over()

    def start_over(self) -> None:
        """Build all lines anew from the mirror; the selection stays on its call."""
        self.lines, self.matching = [], 0
        self._newest = min(self._newest, max(self._mirror.rows, default=0))
        self.update(self._mirror.rows.values())

    def update(self, rows: Iterable[Row]) -> None:
        """Take in new and changed calls."""
        for row in rows:
            self._put(row)
        self._forget()
        if self.following:
            self.selected = self.lines[-1].calls[-1] if self.lines else None

    def index(self) -> int | None:
        """The selected line; the nearest one when the selected call is not in the list."""
        if self.selected is None or not self.lines:
            return None
        return max(0, self._at(self.selected))

    def current(self) -> Row | None:
        """The selected call; of a folded line the newest."""
        index = self.index()
        return None if index is None else self.lines[index].row

    def move(self, by: int) -> None:
        """Select the line `by` lines further down; stops following."""
        index = self.index()
        if index is not None:
            self.select(index + by, self._offset + by)

    def select(self, index: int, offset: int = 0) -> None:
        """Select line `index`, counted from 0, `offset` rows below the top; stops following."""
        if not self.lines:
            return
        index = min(max(index, 0), len(self.lines) - 1)
        self.selected = self.lines[index].calls[-1]
        self._offset = offset
        if self.following:
            self.following, self.fresh = False, 0

    def follow(self) -> None:
        """Select the newest call, and each newer one as it comes."""
        self.following, self.fresh = True, 0
        self.update(())

    def window(self, height: int) -> range:
        """The lines to draw in `height` rows: the selected one stays where it was if it can."""
        count, index = len(self.lines), self.index() or 0
        offset = height - 1 if self.following else min(max(self._offset, 0), height - 1)
        top = min(max(0, index - offset), max(0, count - height))
        self._offset = index - top
        return range(top, min(count, top + height))

    # --- keeping the lines ----------------------------------------------------------------------

    def _at(self, call: int) -> int:
        """The last line that starts at or before `call`, -1 if there is none."""
        return bisect_right(self.lines, call, key=lambda line: line.calls[0]) - 1

    def _put(self, row: Row) -> None:
        if row.id > self._newest:
            self._newest = row.id
            self.fresh += not self.following and (self._keep is None or self._keep(row))
        at = self._at(row.id)
        line = self.lines[at] if at >= 0 else None
        if line and row.id in line.calls:
            if len(line.calls) == 1 and row.state in _OPEN and self._kept(row):
                line.row = row
                return
            self._take_out(at, row.id)
        if self._kept(row):
            self._insert(row)

    def _kept(self, row: Row) -> bool:
        return self._keep is None or self._keep(row)

    def _take_out(self, at: int, call: int) -> None:
        line = self.lines[at]
        line.calls.remove(call)
        self.matching -= 1
        if not line.calls:
            del self.lines[at]
            self._join(at - 1)
        elif line.row.id == call:
            line.row = self._mirror.rows.get(line.calls[-1], line.row)

    def _insert(self, row: Row) -> None:
        self.matching += 1
        at = self._at(row.id)
        line = self.lines[at] if at >= 0 else None
        if line and alike(line.row, row):
            insort(line.calls, row.id)
            if line.calls[-1] == row.id:
                line.row = row
            self._join(at)
            return
        if line and row.id < line.calls[-1]:  # comes between calls that were neighbours
            cut = bisect_right(line.calls, row.id)
            self.lines.insert(at + 1, CallLine(line.row, line.calls[cut:]))
            del line.calls[cut:]
            line.row = self._mirror.rows.get(line.calls[-1], line.row)
        self.lines.insert(at + 1, CallLine(row, [row.id]))
        self._join(at + 1)

    def _join(self, at: int) -> None:
        """Fold line `at` with the one after it if they have become alike."""
        if 0 <= at < len(self.lines) - 1 and alike(self.lines[at].row, self.lines[at + 1].row):
            later = self.lines.pop(at + 1)
            line = self.lines[at]
            line.calls += later.calls
            line.row = later.row

    def _forget(self) -> None:
        """Drop the lines of calls that the mirror no longer has."""
        gone = 0
        while gone < len(self.lines) and self.lines[gone].calls[-1] < self._mirror.oldest:
            self.matching -= len(self.lines[gone].calls)
            gone += 1
        del self.lines[:gone]
