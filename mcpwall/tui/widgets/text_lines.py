"""Lines that are there already, in a window that can be moved over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.widgets.lines import LineWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from mcpwall.tui.widgets.lines import Line


class TextLines(LineWidget):
    """Shows `lines` from `top`. With `says_more`, the last row tells how many are below."""

    DEFAULT_CSS = "TextLines { height: 1fr; width: 1fr; }"

    def __init__(self, *, says_more: bool = False) -> None:
        super().__init__()
        self.says_more = says_more
        self._lines: Sequence[Line] = ()
        self._top = 0

    def show(self, lines: Sequence[Line]) -> None:
        """Show other lines, from where the window is if they reach that far."""
        self._lines = lines
        self.scroll(0)

    def scroll(self, by: int) -> None:
        """Move the window down by `by` lines, up if negative."""
        self._top = max(0, min(self._top + by, len(self._lines) - self.size.height))
        self.refresh()

    def turn(self, pages: int) -> None:
        """Move the window down by pages, up if negative; two rows of the last one stay in it.

        One of them is covered where the last row tells how many are below.
        """
        self.scroll(pages * max(1, self.size.height - 2))

    def to_start(self) -> None:
        """Move the window to the first line."""
        self.scroll(-len(self._lines))

    def to_end(self) -> None:
        """Move the window to the last line."""
        self.scroll(len(self._lines))

    def line(self, y: int) -> Line:
        """A line of the window."""
        at = self._top + y
        below = len(self._lines) - self._top - self.size.height
        if self.says_more and below > 0 and y == self.size.height - 1:
            return [(f" … {below + 1} more lines", "warn")]
        return self._lines[at] if at < len(self._lines) else []

    def on_resize(self) -> None:
        """A larger window may reach past the end."""
        self.scroll(0)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel scrolls."""
        event.stop()
        self.scroll(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel scrolls."""
        event.stop()
        self.scroll(-3)
