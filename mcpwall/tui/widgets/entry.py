"""The one way to type text: an input that never draws what a terminal could obey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from mcpwall.text import visible

if TYPE_CHECKING:
    from textual import events


class Entry(Input):
    """An Input whose pasted text, which may be foreign, is made visible first."""

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        if lines := event.text.splitlines():
            start, end = self.selection
            self.replace(visible(lines[0]), start, end)
