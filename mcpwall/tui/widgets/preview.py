"""What a change would do, below its form: a last field that can be walked to, read and listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from mcpwall.tui.widgets.lines import Line, spread
from mcpwall.tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from textual import events

_PAGES = {"pageup": -1, "pagedown": 1}


class PreviewLines(TextLines, can_focus=True, inherit_bindings=False):
    """With the focus, enter asks for the calls that would change, and pages turn."""

    DEFAULT_CSS = "PreviewLines { height: 1fr; }"

    class Wanted(Message):
        """The calls are to be listed."""

    def line(self, y: int) -> Line:
        """A line of the window; the first one says what enter does."""
        line = super().line(y)
        if not self.marked(y):
            return line
        (text, style), *more = line or [("", "")]
        told = [("▌", "accent"), (text.removeprefix(" "), style), *more]
        return spread(told, [(" ↵ list them ", "accent")], self.size.width)

    def marked(self, y: int) -> bool:
        """The first line, where the focus is."""
        return y == 0 and self.has_focus

    def on_focus(self) -> None:
        """Show that it is here."""
        self.refresh()

    def on_blur(self) -> None:
        """And that it is not."""
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        """Enter and pages; all other keys go on."""
        if event.key == "enter":
            self.post_message(self.Wanted())
        elif pages := _PAGES.get(event.key):
            self.turn(pages)
        else:
            return
        event.stop()
        event.prevent_default()
