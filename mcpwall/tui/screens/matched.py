"""The tools that a rule is about, listed by their servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.rules.tools import listed
from mcpwall.tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from mcpwall.engine.port_tools import ToolsMatched
    from mcpwall.tui.widgets.lines import Line


class MatchedScreen(Sheet):
    """Lists what `told` says."""

    def __init__(self, told: ToolsMatched) -> None:
        super().__init__()
        self._told = told

    def lines(self, room: int) -> list[Line]:
        """The tools."""
        return listed(self._told, self.mirror.servers, room)
