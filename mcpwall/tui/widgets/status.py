"""The line under the call table: what is marked, whether it follows, and what came meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mcpwall.tui.marks import SIGN
from mcpwall.tui.widgets.lines import Line, LineWidget, Part, spread

if TYPE_CHECKING:
    from mcpwall.tui.app import WallApp
    from mcpwall.tui.call_list import CallList
    from mcpwall.tui.marks import Marks


class StatusLine(LineWidget):
    """Says what the table shows of all there is."""

    DEFAULT_CSS = "StatusLine { height: 1; }"

    def __init__(self, calls: CallList, marks: Marks) -> None:
        super().__init__()
        self.calls = calls
        self.marks = marks

    def line(self, y: int) -> Line:
        """The one line."""
        del y
        wall = cast("WallApp", self.app)
        key = wall.keys.key("calls.follow")
        left: list[Part] = [(" following the newest ▼", "ok"), (f"   {key} to stay", "dim")]
        if not self.calls.following:
            fresh = f" {self.calls.fresh:,} new" if self.calls.fresh else " staying"
            left = [(fresh, "waiting" if self.calls.fresh else ""), (f"   {key} to follow", "dim")]
        if many := len(self.marks):
            clears = f"  {wall.keys.key('calls.unmark')} clears "
            left = [(f" {SIGN} {many:,} marked", "accent"), (clears, "dim"), *left]
        kept, known = self.calls.matching, len(wall.mirror.rows)
        counts = f" {known:,} calls " if kept == known else f" {kept:,} of {known:,} calls match "
        return spread(left, [(counts, "dim")], self.size.width)
