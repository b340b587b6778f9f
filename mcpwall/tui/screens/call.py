"""The full view: all about one call, nothing left out, over the whole screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui import detail
from mcpwall.tui.detail import Known
from mcpwall.tui.lookup import look_up
from mcpwall.tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from mcpwall.engine.port_calls import Row
    from mcpwall.tui.widgets.lines import Line


class CallScreen(Sheet):
    """Everything that the engine knows of a call."""

    scope = "call"

    def __init__(self, row: Row) -> None:
        super().__init__()
        self._known = Known(row)
        self._raw = False

    def on_mount(self) -> None:
        """Ask for what the row does not say."""
        self.run_worker(self._ask(), name="details")

    async def _ask(self) -> None:
        self._known = await look_up(self.wall, self._known.row)
        self.draw()

    def lines(self, room: int) -> list[Line]:
        """All that is known by now."""
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

    def do_raw(self) -> None:
        """Arguments as raw JSON, or a field a line."""
        self._raw = not self._raw
        self.draw()

    def do_copy(self) -> None:
        """The arguments as JSON to the clipboard."""
        self.wall.copy(detail.as_json(self._known), f"arguments of call {self._known.row.id}")
