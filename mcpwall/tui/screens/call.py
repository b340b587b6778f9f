"""The full view: all about one call, nothing left out, over the whole screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui import detail
from mcpwall.tui.detail import Known
from mcpwall.tui.lookup import look_up
from mcpwall.tui.screens.base import WallModal
from mcpwall.tui.widgets.frame import Footer
from mcpwall.tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.engine.port import Row
    from mcpwall.tui.widgets.lines import Line


class CallScreen(WallModal):
    """Everything that the engine knows of a call."""

    scope = "call"

    def __init__(self, row: Row) -> None:
        super().__init__()
        self._known = Known(row)
        self._raw = False

    def compose(self) -> ComposeResult:
        """The text and the keys."""
        self.text = TextLines()
        yield self.text
        yield Footer()

    def on_mount(self) -> None:
        """Ask for what the row does not say."""
        self.run_worker(self._ask(), name="details")

    async def _ask(self) -> None:
        self._known = await look_up(self.wall, self._known.row)
        self._draw()

    def on_resize(self) -> None:
        """Another width wraps in another way."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        if room := self.text.size.width:
            self.text.show(self._lines(room))

    def _lines(self, room: int) -> list[Line]:
        known = self._known
        return detail.paragraphs(
            [
                detail.head(known, room, self.wall.zone),
                detail.arguments(known, room, raw=self._raw),
                detail.edit(known, room),
                detail.changes(known, room),
                detail.answer(known, room),
                detail.timing(known, room),
                detail.tool(known, room),
                detail.papers(known.row, room),
            ]
        )

    def do_up(self) -> None:
        """One line up."""
        self.text.scroll(-1)

    def do_down(self) -> None:
        """One line down."""
        self.text.scroll(1)

    def do_page_up(self) -> None:
        """One page up."""
        self.text.scroll(-self.text.size.height)

    def do_page_down(self) -> None:
        """One page down."""
        self.text.scroll(self.text.size.height)

    def do_first(self) -> None:
        """To the start."""
        self.text.to_start()

    def do_last(self) -> None:
        """To the end."""
        self.text.to_end()

    def do_raw(self) -> None:
        """Arguments as raw JSON, or a field a line."""
        self._raw = not self._raw
        self._draw()

    def do_copy(self) -> None:
        """The arguments as JSON to the clipboard."""
        self.wall.copy(detail.as_json(self._known), f"arguments of call {self._known.row.id}")
