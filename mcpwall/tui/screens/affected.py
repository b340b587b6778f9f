"""The calls whose verdict a change of the rules would have changed, listed one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.call_list import CallLine
from mcpwall.tui.columns import call_line, columns
from mcpwall.tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from mcpwall.engine.port_rules import Previewed
    from mcpwall.tui.widgets.lines import Line


class AffectedScreen(Sheet):
    """Lists what `previewed` says, as far as the app knows the calls."""

    def __init__(self, previewed: Previewed) -> None:
        super().__init__()
        self._previewed = previewed

    def lines(self, room: int) -> list[Line]:
        """The calls by what would become of them."""
        told = self._previewed
        groups = (
            ("NEWLY ALLOWED", told.allowed, "warn"),
            ("WOULD BE ASKED", told.asked, "waiting"),
            ("WOULD BE LIMITED", told.limited, "warn"),
            ("WOULD BE DENIED", told.denied, "bad"),
            ("MATCHED", told.matched, "title"),
        )
        lines: list[Line] = []
        for title, calls, style in groups:
            if calls:
                lines += [[(f" {title}: {len(calls):,}", style)], *self._calls(calls, room), []]
        nothing: Line = [(" no call of the last ones would have been judged otherwise", "dim")]
        return lines or [nothing]

    def _calls(self, calls: tuple[int, ...], room: int) -> list[Line]:
        """The newest first; those that the app has forgotten are counted."""
        widths = columns(room)
        rows = [self.mirror.rows[call] for call in reversed(calls) if call in self.mirror.rows]
        lines: list[Line] = [call_line(CallLine(r), widths, self.wall.zone) for r in rows]
        if forgotten := len(calls) - len(rows):
            lines.append([(f"   and {forgotten:,} that are only in the record", "dim")])
        return lines
