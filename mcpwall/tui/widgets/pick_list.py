"""A heading and as many items as fit, one of them selected; the selected one is always in view.

The selection is an item, not a place: it stays on its item wherever that goes. Subclasses say how
an item is known (`key_of`) and how it is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

from textual.message import Message

from mcpwall.tui.widgets.lines import Line, LineWidget

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from textual import events

    from mcpwall.tui.app import WallApp

Item = TypeVar("Item")
_WHEEL = 3


class Selected(Message):
    """Another item of `list` is selected, or the same one has changed."""

    def __init__(self, picked: PickList[object]) -> None:
        super().__init__()
        self.list = picked

    @property
    def control(self) -> PickList[object]:
        """The list."""
        return self.list


class PickList(LineWidget, Generic[Item]):
    """Shows `items` below a heading."""

    DEFAULT_CSS = "PickList { height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.items: Sequence[Item] = ()
        self._at = 0
        self._top = 0

    @property
    def wall(self) -> WallApp:
        """The app."""
        return cast("WallApp", self.app)

    def key_of(self, item: Item) -> Hashable:
        """What an item is known by."""
        raise NotImplementedError

    def heading(self) -> Line:
        """The line above the items."""
        raise NotImplementedError

    def item_line(self, item: Item) -> Line:
        """An item, its first part beginning with a blank for the cursor."""
        raise NotImplementedError

    @property
    def selected(self) -> Item | None:
        """The item under the cursor."""
        return self.items[self._at] if self.items else None

    def show(self, items: Sequence[Item]) -> None:
        """Show these items; the selected one stays selected wherever it went."""
        kept = self.key_of(self.selected) if self.selected is not None else None
        self.items = items
        places = [at for at, item in enumerate(items) if self.key_of(item) == kept]
        self._go(places[0] if places else self._at)

    def select(self, key: Hashable) -> bool:
        """Select the item of this key; False when there is none."""
        for at, item in enumerate(self.items):
            if self.key_of(item) == key:
                self._go(at)
                return True
        return False

    def move(self, by: int) -> None:
        """Select `by` items further down, up if negative."""
        self._go(self._at + by)

    def move_page(self, pages: int) -> None:
        """Select an item a window further down, up if negative."""
        self.move(pages * max(1, self.size.height - 2))

    def line(self, y: int) -> Line:
        """The heading, then an item a line."""
        if y == 0:
            return self.heading()
        at = self._top + y - 1
        if at >= len(self.items):
            return []
        line = self.item_line(self.items[at])
        return [("▌" if at == self._at else " ", "accent"), (line[0][0][1:], line[0][1]), *line[1:]]

    def marked(self, y: int) -> bool:
        """The selected line."""
        return bool(self.items) and y > 0 and self._top + y - 1 == self._at

    def on_resize(self) -> None:
        """Keep the selected item in view."""
        self._go(self._at)

    def on_click(self, event: events.Click) -> None:
        """Select the item that was clicked."""
        if event.y > 0:
            self._go(self._top + event.y - 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the selection, so that it is always in view."""
        event.stop()
        self.move(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the selection, so that it is always in view."""
        event.stop()
        self.move(-_WHEEL)

    def _go(self, at: int) -> None:
        self._at = max(0, min(at, len(self.items) - 1))
        page = max(1, self.size.height - 1)
        self._top = max(0, min(self._top, self._at), self._at - page + 1)
        self.refresh()
        self.post_message(Selected(cast("PickList[object]", self)))
