"""Lines over the whole screen that are only read, and closed again."""

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

    scope = "affected"
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
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        self.query_one(TextLines).show(self.lines(self.size.width))

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
