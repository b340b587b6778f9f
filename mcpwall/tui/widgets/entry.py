"""The one way to type text: an input that never draws what a terminal could obey."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Input

from mcpwall.text import masked


class Entry(Input, inherit_bindings=False):
    """An Input that keeps its text exactly and draws a sign for each character that is hidden.

    What is in it may be foreign: a tool's name in a rule, or what was pasted.
    """

    BINDINGS = Input.BINDINGS  # what it inherits scrolls: the arrows up and down are the screen's

    @property
    def _value(self) -> Text:
        """What Input draws in place of its value: as many characters, so that the cursor fits."""
        return Text(masked(self.value), no_wrap=True, overflow="ignore", end="")
