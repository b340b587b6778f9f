"""The table of rules: one selected by its id, the lines around it drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.message import Message

from mcpwall.tui.rules.table import columns, heading, rule_line
from mcpwall.tui.widgets.lines import Line, LineWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from mcpwall.engine.port import RuleRow
    from mcpwall.tui.app import WallApp


class RuleList(LineWidget):
    """A heading and as many rules as fit, the selected one always among them."""

    DEFAULT_CSS = "RuleList { height: 1fr; }"

    class Selected(Message):
        """Another rule is selected."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[RuleRow] = ()
        self._at = 0
        self._top = 0

    @property
    def selected(self) -> RuleRow | None:
        """The rule under the cursor."""
        return self._rows[self._at] if self._rows else None

    def show(self, rows: Sequence[RuleRow]) -> None:
        """Show these rules; the selected one stays selected wherever it went."""
        kept = self.selected.rule.id if self.selected else ""
        self._rows = rows
        places = [at for at, row in enumerate(rows) if row.rule.id == kept]
        self._go(places[0] if places else self._at)

    def move(self, by: int) -> None:
        """Select `by` rules further down, up if negative."""
        self._go(self._at + by)

    def move_to(self, end: int) -> None:
        """Select the first rule (0) or the last one (-1)."""
        self._go(end % max(1, len(self._rows)))

    def line(self, y: int) -> Line:
        """The heading, then a rule a line."""
        widths = columns(self.size.width)
        if y == 0:
            return heading(widths)
        at = self._top + y - 1
        if at >= len(self._rows):
            return []
        wall = cast("WallApp", self.app)
        line = rule_line(self._rows[at], widths, wall.now() * 1000, wall.zone)
        return [("▌" if at == self._at else " ", "accent"), (line[0][0][1:], line[0][1]), *line[1:]]

    def marked(self, y: int) -> bool:
        """The selected line."""
        return bool(self._rows) and self._top + y - 1 == self._at

    def on_resize(self) -> None:
        """Keep the selected rule in view."""
        self._go(self._at)

    def on_click(self, event: events.Click) -> None:
        """Select the rule that was clicked."""
        if event.y > 0:
            self._go(self._top + event.y - 1)

    def _go(self, at: int) -> None:
        self._at = max(0, min(at, len(self._rows) - 1))
        page = max(1, self.size.height - 1)
        self._top = max(0, min(self._top, self._at), self._at - page + 1)
        self.refresh()
        self.post_message(self.Selected())
