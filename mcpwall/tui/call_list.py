"""The lines of the call table: filtered, identical neighbours folded, one of them selected.

Pure: calls in, lines out; the widget that draws them is `tui.widgets.calls_table`. A line stands
for one call or for several consecutive ones that are alike in everything but time. Only finished
calls fold, so a line never has to hide that one of its calls went another way. The selection is a
call, not a place: it stays on its call whatever happens around it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from mcpwall.engine.port_calls import Row, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mcpwall.tui.mirror import Mirror

_OPEN = (State.HELD, State.RESERVING, State.RUNNING)
_newest = attrgetter("row.id")


class CallLine(msgspec.Struct, gc=False):
    """One line, for the call `row` and for those folded into it, which are all older.

    Most lines are of one call: then there is no list, and nothing for the garbage collector.
    """

    row: Row
    earlier: list[int] | None = None  # ids of the folded calls, ascending; never empty

    @property
    def count(self) -> int:
        """How many calls it stands for."""
        return 1 + len(self.earlier) if self.earlier else 1

    @property
    def calls(self) -> list[int]:
        """The ids of all its calls, ascending."""
        return [*(self.earlier or ()), self.row.id]

    @property
    def first(self) -> int:
        """The id of its oldest call."""
        return self.earlier[0] if self.earlier else self.row.id

    def has(self, call: int) -> bool:
        """Whether it stands for this call."""
        if call == self.row.id or not self.earlier:
            return call == self.row.id
        at = bisect_left(self.earlier, call)
        return at < len(self.earlier) and self.earlier[at] == call

    def fold(self, row: Row) -> None:
        """Stand for one more call."""
        earlier = self.earlier or []
        if row.id > self.row.id:
            earlier.append(self.row.id)
            self.row = row
        else:
            insort(earlier, row.id)
        self.earlier = earlier

    def let_go(self, before: int) -> list[int]:
        """Stand no more for calls with ids under `before`, which `row` is not one of; their ids."""
        earlier = self.earlier or []
        cut = bisect_left(earlier, before)
        gone = earlier[:cut]
        if gone:
            self.earlier = earlier[cut:] or None
        return gone


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
        self.fresh = 0  # calls of the list that came since following stopped
        self._newest = 0
        self._stopped = 0  # the newest call when following stopped
        self._offset = 0  # rows between the top of the window and the selected line
        self.start_over()

    def filter(self, keep: Callable[[Row], bool] | None) -> None:
        """List only the calls that `keep` lets pass; None lists all."""
        self._keep = keep
        if not self.following:
            self.fresh, self._newest = 0, self._stopped
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
            self.selected = self.lines[-1].row.id if self.lines else None

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
        self.selected = self.lines[index].row.id
        self._offset = offset
        if self.following:
            self.following, self.fresh, self._stopped = False, 0, self._newest

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
        lines = self.lines
        if lines and call >= lines[-1].first:
            return len(lines) - 1
        at = bisect_left(lines, call, key=_newest)
        return at if at < len(lines) and lines[at].first <= call else at - 1

    def _put(self, row: Row) -> None:
        kept = self._keep is None or self._keep(row)
        if row.id > self._newest:
            self._newest = row.id
            self.fresh += kept and not self.following
        lines = self.lines
        if not lines or row.id > lines[-1].row.id:  # as nearly every call is when it comes
            if kept:
                self._append(row)
            return
        at = self._at(row.id)
        if at >= 0 and (line := lines[at]).has(row.id):
            if kept and not line.earlier:
                line.row = row
                self._join(at)
                self._join(at - 1)
                return
            self._take_out(at, row.id)
        if kept:
            self._insert(row)

    def _append(self, row: Row) -> None:
        """List a call that is newer than all others."""
        self.matching += 1
        if self.lines and alike(self.lines[-1].row, row):
            self.lines[-1].fold(row)
        else:
            self.lines.append(CallLine(row))

    def _take_out(self, at: int, call: int) -> None:
        line = self.lines.pop(at)
        self.matching -= line.count
        left = [other for other in line.calls if other != call]
        if not self._put_back(at, left):
            self._join(at - 1)

    def _put_back(self, at: int, calls: list[int]) -> bool:
        """Insert a line of calls that are alike; False where there is none of them any more."""
        row = self._mirror.rows.get(calls[-1]) if calls else None
        if row is None:
            return False
        self.lines.insert(at, CallLine(row, calls[:-1] or None))
        self.matching += len(calls)
        return True

    def _insert(self, row: Row) -> None:
        """List a call that is not the newest."""
        at = self._at(row.id)
        line = self.lines[at] if at >= 0 else None
        if line and alike(line.row, row):
            self.matching += 1
            line.fold(row)
            self._join(at)
            return
        if line and row.id < line.row.id:  # comes between calls that were neighbours
            before = line.let_go(row.id)
            self.matching -= len(before)
            at -= not self._put_back(at, before)
        self.matching += 1
        self.lines.insert(at + 1, CallLine(row))
        self._join(at + 1)

    def _join(self, at: int) -> None:
        """Fold line `at` with the one after it if they have become alike."""
        if 0 <= at < len(self.lines) - 1 and alike(self.lines[at].row, self.lines[at + 1].row):
            line, later = self.lines[at], self.lines.pop(at + 1)
            earlier = line.earlier or []
            earlier.append(line.row.id)
            earlier += later.earlier or ()
            line.row, line.earlier = later.row, earlier

    def _forget(self) -> None:
        """Drop the calls that the mirror no longer has."""
        oldest = self._mirror.oldest
        gone = bisect_left(self.lines, oldest, key=_newest)
        self.matching -= sum(line.count for line in self.lines[:gone])
        del self.lines[:gone]
        if self.lines:
            self.matching -= len(self.lines[0].let_go(oldest))
