"""One waiting call as the person reads it: which view of it, compared with what, remembered how.

Pure values and lines; the review screen holds one `Reading` and replaces it as things change.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mcpwall.tui.guard import Sight
from mcpwall.tui.review import panels
from mcpwall.tui.review.compare import Change, changes, compare_pieces
from mcpwall.tui.review.layout import Counts, Row
from mcpwall.tui.review.memory import SCOPES, Memory
from mcpwall.tui.review.pieces import count, field_pieces, raw_pieces
from mcpwall.tui.timing import clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from mcpwall.engine import port_answers, port_calls
    from mcpwall.model import JsonObject
    from mcpwall.tui.review.rows import Piece
    from mcpwall.tui.widgets.lines import Line

TALL, BROAD = 32, 100  # cells from which all panels, or two columns, have room
_COUNTED_AT_ONCE = 65_536  # bytes of arguments
_REASONS_PART = 4  # the reasons take at most one part in four of the screen


class View(enum.Enum):
    """What stands in the place of the arguments."""

    FIELDS = "fields"
    RAW = "raw JSON"
    DIFF = "changes only"


@dataclass(frozen=True)
class Before:
    """The previous call like the one shown."""

    row: port_calls.Row
    arguments: JsonObject
    changes: Sequence[Change]


@dataclass(frozen=True)
class Reading:
    """What is known and chosen about the call on screen. `over` says how it ended, if it did.

    `counts` is None until large arguments are counted. `edit` is what the person wrote in place of
    its arguments, as the engine would run it. `revealed` are the arguments with the secrets in
    them, if the person wants to see these.
    """

    held: port_calls.Held
    counts: Counts | None
    memory: Memory
    view: View = View.FIELDS
    before: Before | None = None
    matched: str = ""
    over: str = ""
    edit: port_answers.EditChecked | None = None
    revealed: JsonObject | None = None

    @classmethod
    def of(cls, held: port_calls.Held) -> Reading:
        """A call that was not on screen so far."""
        return cls(held, _counted(held.arguments, held.row.size), Memory.of(held))

    def compared_with(self, row: port_calls.Row, arguments: JsonObject) -> Reading:
        """The same, with the previous call like it known."""
        found = changes(arguments, self.arguments)
        return replace(self, before=Before(row, arguments, found))

    def edited(self, edit: port_answers.EditChecked | None) -> Reading:
        """The same call with these arguments, or with its own; the answer is for once then."""
        arguments = edit.arguments if edit else self.held.arguments
        memory = Memory.of(self.held)
        counts = _counted(arguments, edit.size if edit else self.held.row.size)
        return replace(
            self, edit=edit, counts=counts, memory=memory, view=View.FIELDS, revealed=None
        )

    def revealing(self, arguments: JsonObject | None) -> Reading:
        """The same with the secrets shown, or hidden again."""
        shown = self.held.arguments if arguments is None else arguments
        return replace(self, revealed=arguments, counts=_counted(shown, self.size))

    def same_as(self, other: Reading) -> bool:
        """Whether this shows the same arguments."""
        shown = (self.digest, self.revealed is None)
        return shown == (other.digest, other.revealed is None)

    @property
    def arguments(self) -> JsonObject:
        """What would run, secrets hidden unless they are revealed."""
        if self.edit:
            return self.edit.arguments
        return self.held.arguments if self.revealed is None else self.revealed

    @property
    def digest(self) -> str:
        """The hash of what would run."""
        return self.edit.digest if self.edit else self.held.digest

    @property
    def size(self) -> int:
        """The bytes of what would run."""
        return self.edit.size if self.edit else self.held.row.size

    @property
    def flags(self) -> tuple[str, ...]:
        """What to look at twice in what would run."""
        return self.edit.flags if self.edit else self.held.flags

    def shows(self, held: port_calls.Held) -> bool:
        """Whether this is still that call, with nothing changed that a decision rests on."""
        return Sight.of(held).same_call(Sight.of(self.held))

    @property
    def sight(self) -> Sight:
        """What a decision on this would quote."""
        return Sight.of(self.held, self.memory.remember(), self.edit.digest if self.edit else "")

    @property
    def lasts(self) -> str:
        """For what an answer is, in words."""
        scope = SCOPES[self.memory.scope]
        words = "once" if scope is None else panels.SCOPE_WORDS[scope]
        return f"{words}, as edited" if self.edit else words

    def toggled(self, view: View) -> Reading:
        """The same in another view, or back to the fields."""
        return replace(self, view=View.FIELDS if self.view is view else view)

    def pieces(self, cells: int) -> Iterator[Piece]:
        """The view's rows."""
        arguments = self.arguments
        if self.view is View.RAW:
            return raw_pieces(arguments, cells)
        if self.view is View.DIFF and self.before:
            return compare_pieces(self.before.arguments, arguments, cells)
        if self.view is View.DIFF:
            return iter([lambda: [Row("", "no call like it before")]])
        if self.edit:
            return compare_pieces(self.held.arguments, arguments, cells, whole=True)
        return field_pieces(arguments, cells)

    def why(self, room: int, height: int, zone: tzinfo | None, diff_key: str) -> list[Line]:
        """Why the person is asked and what changed, side by side where there is room."""
        limit = max(3, height // _REASONS_PART)
        if room < BROAD:
            top = panels.rule("WHY YOU ARE ASKED", "", room)
            return [top, *panels.capped(panels.reasons(self, room), limit)]
        at = room * 55 // 100
        left = panels.capped(panels.reasons(self, at), limit)
        right = self._changes(room - at - 1, limit, zone, diff_key)
        titles = [
            *panels.rule("WHY YOU ARE ASKED", "", at),
            *panels.rule("WHAT CHANGED", "", room - at),
        ]
        return [titles, *panels.beside(left, right, at, room)]

    def remember(self, room: int, height: int, keys: str) -> list[Line]:
        """The panel of the answer's scope and match."""
        if self.edit:
            return [[(" remember  ", "dim"), ("no: an edited call is allowed once", "")]]
        if self.held.late:
            return [[(" remember  ", "dim"), ("no: for the same call alone, once", "")]]
        if height < TALL:
            return panels.remembered_short(self.held, self.memory, self.matched, room)
        return panels.remembered(self.held, self.memory, self.matched, keys, room)

    def _changes(self, room: int, limit: int, zone: tzinfo | None, diff_key: str) -> list[Line]:
        if self.before is None:
            return [[(" no call like it before", "dim")]]
        row = self.before.row
        since = f"since call {row.id} at {clock(row.at_ms, zone)}, {row.state.value}"
        since += f"   {diff_key} shows all"
        return panels.changes(since, self.before.changes, limit, room)


def _counted(arguments: JsonObject, size: int) -> Counts | None:
    """What arguments of so many bytes amount to; None where counting takes its time."""
    return count(arguments) if size <= _COUNTED_AT_ONCE else None
