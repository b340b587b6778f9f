"""A line between two widgets that stand beside each other, or one above the other."""

from __future__ import annotations

from mcpwall.tui.widgets.lines import Line, LineWidget


class Divider(LineWidget):
    """Upright where it is one cell wide, else level."""

    def line(self, y: int) -> Line:
        """A piece of it."""
        del y
        room = self.size.width
        return [("│" if room == 1 else "─" * room, "frame")]
