"""Lines over the whole screen that are only read, and closed again: the one way to scroll them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.screens.base import WallModal
from mcpwall.tui.widgets.frame import Footer
from mcpwall.tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.tui.widgets.lines import Line


class Sheet(WallModal):
    """Shows what `lines` says for its width."""

    scope = "sheet"
    DEFAULT_CSS = "Sheet { background: $background; }"

    def lines(self, room: int) -> list[Line]:
        """All lines, for `room` cells."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """The lines and the keys that move them."""
        yield TextLines(says_more=True)
        yield Footer()

    def on_resize(self) -> None:
        """Draw it for this width."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw what `lines` says now."""
        if room := self.size.width:
            self.query_one(TextLines).show(self.lines(room))

    def do_up(self) -> None:
        """One line up."""
        self.query_one(TextLines).scroll(-1)

    def do_down(self) -> None:
        """One line down."""
        self.query_one(TextLines).scroll(1)

    def do_page_up(self) -> None:
        """One page up."""
        self.query_one(TextLines).turn(-1)

    def do_page_down(self) -> None:
        """One page down."""
        self.query_one(TextLines).turn(1)

    def do_first(self) -> None:
        """To the start."""
        self.query_one(TextLines).to_start()

    def do_last(self) -> None:
        """To the end."""
        self.query_one(TextLines).to_end()
