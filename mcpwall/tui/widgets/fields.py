"""Rows of a call's arguments, however many, drawn on the line API: only what is in the window.

The first pieces are laid out at once, the others one by one while nothing else is to do.

The widget knows what it has drawn, because a decision may only be made on what has been on screen:
`drawn` says that the present rows have been painted, `end_drawn` that the last of all of them has.
"""

from __future__ import annotations

import re
from asyncio import sleep
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from rich.style import Style
from textual import work
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView

from mcpwall.text import width
from mcpwall.tui.review.layout import Row
from mcpwall.tui.review.rows import Rows
from mcpwall.tui.widgets.lines import Part, palette_of, strip

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

Layout: TypeAlias = Callable[[int], Sequence[Row] | Rows]

_AT_ONCE = 4  # pieces
_TOLD = 32  # pieces after which what is shown of their number is drawn anew
_MARKED = {"": "strong", "+": "ok", "-": "bad", "=": "dim"}
# What `text.visible` spelled out, and the signs for blanks; all else is the value itself.
_SIGNS = re.compile("(‹[^›]*›|[·␊␉]+)")


class Fields(ScrollView, can_focus=False, inherit_bindings=False):
    """Shows rows that `layout(cells)` makes for a width; asked once per width."""

    DEFAULT_CSS = "Fields { height: 1fr; scrollbar-size: 0 0; }"

    class Moved(Message):
        """Other rows are in the window now, or the same rows for another width."""

    def __init__(self) -> None:
        super().__init__()
        self._layout: Layout | None = None
        self._rows = Rows(())
        self._drawn = False
        self._end_drawn = False

    @property
    def drawn(self) -> bool:
        """Whether rows of what is shown have been painted since it was shown or resized."""
        return self._drawn

    @property
    def end_drawn(self) -> bool:
        """Whether the last row has been painted since then."""
        return self._end_drawn

    @property
    def whole(self) -> bool:
        """Whether all rows are laid out: `below` counts those that are."""
        return self._rows.whole

    @property
    def below(self) -> int:
        """How many rows are below the window."""
        return max(0, len(self._rows) - self.scroll_offset.y - self.size.height)

    @property
    def above(self) -> int:
        """How many rows are above the window."""
        return self.scroll_offset.y

    def show(self, layout: Layout | None) -> None:
        """Show something else from its first row; None empties the widget."""
        self._layout = layout
        self.scroll_to(y=0, animate=False, immediate=True)
        self._lay_out()

    def move(self, rows: int) -> None:
        """Scroll by rows, down if positive."""
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False, immediate=True)

    def move_page(self, pages: int) -> None:
        """Scroll by windows, with one row kept in view."""
        self.move(pages * max(1, self.size.height - 1))

    def move_to_start(self) -> None:
        """Scroll to the first row."""
        self.scroll_to(y=0, animate=False, immediate=True)

    def move_to_end(self) -> None:
        """Scroll to the last row."""
        self.scroll_to(y=len(self._rows), animate=False, immediate=True)

    def on_resize(self, event: events.Resize) -> None:
        """Another width wraps in another way."""
        del event
        self._lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolled by key or wheel."""
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def _lay_out(self) -> None:
        cells = self.size.width
        found = self._layout(cells) if self._layout and cells else ()
        self._rows = found if isinstance(found, Rows) else Rows([lambda: found])
        self._rows.lay_out(_AT_ONCE)
        self._drawn = self._end_drawn = False
        self._laid_out()
        if not self._rows.whole:
            self._go_on(self._rows)

    def _laid_out(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._rows))
        self.refresh()
        self.post_message(self.Moved())

    @work(group="rows", exclusive=True)
    async def _go_on(self, rows: Rows) -> None:
        """Lay out the rest, unless something else is shown by then."""
        while rows is self._rows and not rows.whole:
            for _ in range(_TOLD):
                await sleep(0)
                rows.lay_out(1)
            self._laid_out()

    def render_line(self, y: int) -> Strip:
        """Row `y` of the window."""
        at = self.scroll_offset.y + y
        background = Style(bgcolor=self.rich_style.bgcolor)
        parts: list[Part] = []
        if at < len(self._rows):
            self._drawn = True
            self._end_drawn = self._end_drawn or (self.whole and at == len(self._rows) - 1)
            parts = row_parts(self._rows[at])
        return strip(parts, self.size.width, palette_of(self), background)


def row_parts(row: Row) -> list[Part]:
    """A row with its styles: the name, the value, and what stands for something unseen."""
    style = _MARKED[row.mark]
    parts: list[Part] = [(f"{row.mark} ", style)] if row.mark else []
    parts.append((row.name + " " * (row.indent - width(row.name)), "accent"))
    for text in _SIGNS.split(row.value):
        if text.startswith("‹"):
            parts.append((text, "warn"))
        else:
            parts.append((text, "dim" if text[:1] in ("·", "␊", "␉") else style))
    return parts
