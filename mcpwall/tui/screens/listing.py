"""Screens and modals with a list: keys that choose an item, and that read what is said of it."""

from __future__ import annotations

from typing import cast

from mcpwall.tui.screens.base import Keys, WallModal, WallScreen
from mcpwall.tui.widgets.pick_list import PickList
from mcpwall.tui.widgets.text_lines import TextLines


class Listing(Keys):
    """Moves the selection of its one PickList; pages turn in its one TextLines below."""

    @property
    def picks(self) -> PickList[object]:
        """The list."""
        return cast("PickList[object]", self.query_one(PickList))

    def do_up(self) -> None:
        """One item up."""
        self._move(-1)

    def do_down(self) -> None:
        """One item down."""
        self._move(1)

    def do_page_up(self) -> None:
        """Up in what is said of the selected item."""
        self.query_one(TextLines).turn(-1)

    def do_page_down(self) -> None:
        """Down in it."""
        self.query_one(TextLines).turn(1)

    def _move(self, by: int) -> None:
        self.query_one(TextLines).to_start()  # of the next item the first line is seen first
        self.picks.move(by)


class ListScreen(WallScreen, Listing):
    """A whole screen with a list."""

    def do_first(self) -> None:
        """To the first item."""
        self._move(-len(self.picks.items))

    def do_last(self) -> None:
        """To the last item."""
        self._move(len(self.picks.items))


class ListModal(WallModal, Listing):
    """A list that lies over a screen until it is closed."""
