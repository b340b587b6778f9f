"""A screen with a list: the keys that choose an item, and those that read what is said of it."""

from __future__ import annotations

from typing import cast

from mcpwall.tui.screens.base import WallScreen
from mcpwall.tui.widgets.pick_list import PickList
from mcpwall.tui.widgets.text_lines import TextLines


class ListScreen(WallScreen):
    """Moves the selection of its one PickList; pages turn in its one TextLines below."""

    @property
    def picks(self) -> PickList[object]:
        """The list."""
        return cast("PickList[object]", self.query_one(PickList))

    def do_up(self) -> None:
        """One item up."""
        self.picks.move(-1)

    def do_down(self) -> None:
        """One item down."""
        self.picks.move(1)

    def do_first(self) -> None:
        """To the first item."""
        self.picks.move_to(0)

    def do_last(self) -> None:
        """To the last item."""
        self.picks.move_to(-1)

    def do_page_up(self) -> None:
        """Up in what is said of the selected item."""
        lines = self.query_one(TextLines)
        lines.scroll(1 - lines.size.height)

    def do_page_down(self) -> None:
        """Down in it."""
        lines = self.query_one(TextLines)
        lines.scroll(lines.size.height - 1)
