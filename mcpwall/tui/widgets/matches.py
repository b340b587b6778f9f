"""Beside the pattern of a rule: how many of the tools that the engine knows it matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import work

from mcpwall.engine import port_tools
from mcpwall.tui.rules.tools import how_many
from mcpwall.tui.widgets.lines import Line, LineWidget

if TYPE_CHECKING:
    from mcpwall.model import JsonObject
    from mcpwall.tui.app import WallApp
    from mcpwall.tui.widgets.entry import Entry


class Matches(LineWidget):
    """Says it in one line; `told` is what the engine said last, None while that is not known.

    With the focus in `entry`, enter is said to list the tools.
    """

    DEFAULT_CSS = "Matches { height: 1; width: 44; max-width: 45%; }"

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self._entry = entry
        self._fields: JsonObject | None = None
        self.told: port_tools.ToolsMatched | None = None

    def about(self, fields: JsonObject) -> None:
        """The rule chooses its tools by these keys now."""
        if fields != self._fields:
            self._fields = fields
            self._ask(fields)

    @work(group="tools", exclusive=True)
    async def _ask(self, fields: JsonObject) -> None:
        reply = await cast("WallApp", self.app).send(port_tools.MatchTools(fields))
        self.told = reply if isinstance(reply, port_tools.ToolsMatched) else None
        self.refresh()

    def line(self, y: int) -> Line:
        """How many, of what is known."""
        del y
        if self.told is None:
            return []
        return how_many(self.told, self.size.width, enter=self._entry.has_focus)
