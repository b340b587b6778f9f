"""The live table of calls: draws the lines that fit its height, whatever the length of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.message import Message

from mcpwall.tui.columns import call_line, columns, heading
from mcpwall.tui.timing import countdown
from mcpwall.tui.widgets.lines import Line, LineWidget

if TYPE_CHECKING:
    from textual import events

    from mcpwall.tui.app import WallApp
    from mcpwall.tui.call_list import CallList
    from mcpwall.tui.marks import Marks

_WHEEL = 3  # lines


class CallsTable(LineWidget):
    """A heading and the lines of `calls` around its selection."""

    DEFAULT_CSS = "CallsTable { height: 1fr; width: 1fr; }"

    class Selected(Message):
        """Another call is selected."""

    def __init__(self, calls: CallList, marks: Marks) -> None:
        super().__init__()
        self.calls = calls
        self.marks = marks
        self._window = range(0)
        self._cursor: int | None = None
        self._widths = columns(0)

    def page(self) -> int:
        """How many calls are on screen at once."""
        return max(1, self.size.height - 1)

    def begin(self) -> None:
        """Which lines are in the window, and which of them is selected."""
        self._window = self.calls.window(self.page())
        self._cursor = self.calls.index()
        self._widths = columns(self.size.width)

    def line(self, y: int) -> Line:
        """The heading, then a call a line."""
        if y == 0:
            return heading(self._widths)
        if y > len(self._window):
            return []
        line, wall = self.calls.lines[self._window[y - 1]], cast("WallApp", self.app)
        held = wall.mirror.held.get(line.row.id)
        waits = held is not None and not held.late
        left = countdown(held.deadline_ms - wall.now() * 1000) if held and waits else ""
        marked, cursor = self.marks.on(line), self.marked(y)
        return call_line(line, self._widths, wall.zone, left=left, cursor=cursor, marked=marked)

    def marked(self, y: int) -> bool:
        """The selected line."""
        return 0 < y <= len(self._window) and self._window[y - 1] == self._cursor

    def on_click(self, event: events.Click) -> None:
        """Select the call that was clicked."""
        window = self.calls.window(self.page())
        if 0 < event.y <= len(window):
            self.calls.select(window[event.y - 1], event.y - 1)
            self.post_message(self.Selected())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the selection, so that it is always in view."""
        event.stop()
        self.calls.move(_WHEEL)
        self.post_message(self.Selected())

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the selection, so that it is always in view."""
        event.stop()
        self.calls.move(-_WHEEL)
        self.post_message(self.Selected())
