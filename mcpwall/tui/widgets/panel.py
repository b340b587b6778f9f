"""A block of ready lines that is as high as what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.widgets.lines import LineWidget, cells, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpwall.tui.widgets.lines import Line


class Panel(LineWidget):
    """Shows the lines it is given; without any it takes no room."""

    DEFAULT_CSS = "Panel { height: 0; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines in place of the ones before."""
        if len(lines) != len(self._lines):
            self.styles.height = len(lines)
        self._lines = lines
        self.refresh()

    def line(self, y: int) -> Line:
        """The parts of line `y`; one that is too long says so."""
        line = self._lines[y] if y < len(self._lines) else []
        room = self.size.width
        return line if cells(line) <= room else spread(line, [], room)
