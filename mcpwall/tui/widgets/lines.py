"""Lines of a fixed look: the building block of every widget here.

A line is a list of parts, each a text and the name of a style of the theme. The texts must be safe
to print: our own words, or foreign text that passed `mcpwall.text`. Nothing is parsed as markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from mcpwall.text import clip, visible, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpwall.tui.app import WallApp
    from mcpwall.tui.theme import Palette

Part: TypeAlias = tuple[str, str]  # safe text, name of a style
Line: TypeAlias = "Sequence[Part]"


def palette_of(widget: Widget) -> Palette:
    """The styles of the theme that `widget` is drawn in."""
    return cast("WallApp", widget.app).palette


def cells(line: Line) -> int:
    """Terminal cells that a line takes."""
    return sum(width(text) for text, _ in line)


def filled(text: str, room: int) -> str:
    """Safe text in exactly `room` cells: cut with a sign, or filled up with blanks."""
    kept = clip(text, room)
    return kept + " " * (room - width(kept))


def spread(left: Line, right: Line, room: int) -> list[Part]:
    """`left` and `right` at the two ends of `room` cells; `left` is cut where they would meet."""
    free = room - cells(right)
    kept: list[Part] = []
    for text, style in left:
        text_cut = clip(text, free)
        kept.append((text_cut, style))
        free -= width(text_cut)
        if text_cut != text:
            break
    return [*kept, (" " * max(0, free), ""), *right]


def strip(line: Line, room: int, styles: Palette, background: Style | None = None) -> Strip:
    """A line as Textual draws it, exactly `room` cells wide.

    The last look before the terminal: a part that should have been made visible and was not is
    made visible here.
    """
    back = background or Style.null()
    segments = [
        Segment(text if text.isprintable() else visible(text), styles[style] + back)
        for text, style in line
        if text
    ]
    return Strip(segments).adjust_cell_length(room, back)


class LineWidget(Widget):
    """A widget of as many fixed lines as it is high; `line(y)` says what is in them."""

    _back: Style | None = None  # the background, which takes a walk up the tree to find

    def notify_style_update(self) -> None:
        """Another theme, or another class: find the background anew."""
        self._back = None
        super().notify_style_update()

    def line(self, y: int) -> Line:
        """The parts of line `y`, counted from 0, for `self.size.width` cells."""
        raise NotImplementedError

    def marked(self, y: int) -> bool:
        """Whether line `y` is under the cursor; such a line also has a sign that says so."""
        del y
        return False

    def render_line(self, y: int) -> Strip:
        """Textual's side of `line`."""
        styles = palette_of(self)
        if self._back is None:
            self._back = Style(bgcolor=self.rich_style.bgcolor)
        back = styles["cursor"] if self.marked(y) else self._back
        return strip(self.line(y), self.size.width, styles, back)
