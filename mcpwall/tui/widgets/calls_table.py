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

    def page(self) -> int:
        """How many calls are on screen at once."""
        return max(1, self.size.height - 1)

    def line(self, y: int) -> Line:
        """The heading, then a call a line."""
        widths = columns(self.size.width)
        if y == 0:
            return heading(widths)
        at = self._at(y)
        if at is None:
            return []
        line, wall = self.calls.lines[at], cast("WallApp", self.app)
        held = wall.mirror.held.get(line.row.id)
        waits = held is not None and not held.late
        left = countdown(held.deadline_ms - wall.now() * 1000) if held and waits else ""
        marked, cursor = self.marks.on(line), self.marked(y)
        return call_line(line, widths, wall.zone, left=left, cursor=cursor, marked=marked)

    def marked(self, y: int) -> bool:
        """The selected line."""
        at = self._at(y)
        return at is not None and at == self.calls.index()

    def on_click(self, event: events.Click) -> None:
        """Select the call that was clicked."""
        at = self._at(event.y)
        if at is not None:
            self.calls.select(at, event.y - 1)
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

    def _at(self, y: int) -> int | None:
        window = self.calls.window(self.page())
        return window[y - 1] if 0 < y <= len(window) else None
