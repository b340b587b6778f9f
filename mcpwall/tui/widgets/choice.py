"""One of a few words, chosen with the arrow keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from mcpwall.tui.widgets.lines import Line, LineWidget, Part, cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

_LABEL_TOO = 24  # cells
_STEPS = {"left": -1, "right": 1, "space": 1}


class Choice(LineWidget, can_focus=True, inherit_bindings=False):
    """Shows all words, the chosen one in `‹ ›`. Our own words only."""

    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; }
    Choice:focus { background: $cursor; }
    """

    class Changed(Message):
        """Another word was chosen."""

    def __init__(
        self,
        words: Sequence[str],
        value: str,
        *,
        label: str = "",
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        super().__init__(id=id)
        self._words = words
        self._label = label
        self.value = value if value in words else words[0]

    def line(self, y: int) -> Line:
        """The label and the words; the chosen one alone where they do not fit."""
        del y
        parts: list[Part] = [(self._label, "dim")]
        for word in self._words:
            chosen = word == self.value
            parts.append((f"‹{word}› " if chosen else f" {word}  ", "strong" if chosen else "dim"))
        if cells(parts) - 1 <= self.size.width:
            return parts
        label = self._label if self.size.width > _LABEL_TOO else ""
        return [(label, "dim"), (f"‹{self.value}› ", "strong"), ("← →", "dim")]

    def on_key(self, event: events.Key) -> None:
        """Left and right choose; all other keys go on."""
        if step := _STEPS.get(event.key):
            event.stop()
            event.prevent_default()
            self.value = self._words[(self._words.index(self.value) + step) % len(self._words)]
            self.refresh()
            self.post_message(self.Changed())
