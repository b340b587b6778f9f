"""The one way to edit lines of text: an area that never holds what a terminal could obey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import TextArea

from mcpwall.text import masked
from mcpwall.tui.review.edited import escaped

if TYPE_CHECKING:
    from textual.widgets.text_area import Edit, EditResult


class JsonArea(TextArea):
    """JSON to edit. What is typed or pasted and cannot be seen becomes its JSON escape."""

    DEFAULT_CSS = """
    JsonArea { height: 1fr; border: none; padding: 0 1; background: $panel; color: $foreground; }
    JsonArea:focus { border: none; }
    """

    def __init__(self, text: str) -> None:
        super().__init__(escaped(text), theme="css", compact=True, tab_behavior="focus")
        self.cursor_blink = False

    def edit(self, edit: Edit) -> EditResult:
        """Every way to put text into the area leads here."""
        edit.text = escaped(edit.text)
        return super().edit(edit)

    def get_line(self, line_index: int) -> Text:
        """A line as it is drawn: the last look before the terminal."""
        return Text(masked(self.document.get_line(line_index)), end="", no_wrap=True)
