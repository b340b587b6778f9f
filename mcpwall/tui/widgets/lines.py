"""Lines of a fixed look: the building block of every widget here.

A line is a list of parts, each a text and the name of a style of the theme. The texts must be safe
to print: our own words, or foreign text that passed `mcpwall.text`. Nothing is parsed as markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

from rich.segment import Segment
from rich.style import Style
from textual.filter import ANSIToTruecolor
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from mcpwall.text import clip, visible, width

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from textual.filter import LineFilter
    from textual.geometry import Region

    from mcpwall.tui.app import WallApp
    from mcpwall.tui.theme import Palette

Part: TypeAlias = tuple[str, str]  # safe text, name of a style
Line: TypeAlias = "Sequence[Part]"
_Told: TypeAlias = tuple[tuple[Part, ...], bool]  # a line, and whether the cursor is on it
_Look: TypeAlias = "tuple[Palette, Style]"  # styles with a background, and that background alone


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
    return _segments(line, room, {style: styles[style] + back for _, style in line}, back)


def _segments(line: Line, room: int, styles: Palette, back: Style) -> Strip:
    """The same in styles that have their background already; `back` is for what is left empty.

    The fewer segments the less work for all that follows: blanks look the same in any style.
    """
    texts: list[str] = []
    looks: list[Style] = []
    free = room
    for text, style in line:
        if not text:
            continue
        safe, look = text if text.isprintable() else visible(text), styles[style]
        free -= width(safe)
        if texts and (look is looks[-1] or safe.isspace()):
            texts[-1] += safe
        elif texts and texts[-1].isspace():
            texts[-1] += safe
            looks[-1] = look
        else:
            texts.append(safe)
            looks.append(look)
    if free > 0:
        texts.append(" " * free)
        looks.append(back)
    return Strip(map(Segment, texts, looks), room - min(free, 0)).adjust_cell_length(room, back)


class LineWidget(Widget):
    """A widget of as many fixed lines as it is high; `line(y)` says what is in them.

    It keeps its lines until it is refreshed, and then draws only those that say what none of
    them said, so a list that moves on by a line costs a line. It goes without the steps by which
    Textual adds borders, padding and opacity: of its styles, only colours and sizes count.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._looks: tuple[_Look, _Look] | None = None  # of a line, and of one under the cursor
        self._size_drawn = Size()
        self._strips: dict[int, Strip] = {}  # good until the next refresh
        self._told: dict[_Told, Strip] = {}  # the same by what they say
        self._before: dict[_Told, Strip] = {}  # and those before the last refresh

    def notify_style_update(self) -> None:
        """Another theme, or another class: find the colours anew."""
        self._looks = None
        self._strips, self._told, self._before = {}, {}, {}
        super().notify_style_update()

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """See Widget: what is drawn may be out of date."""
        if repaint:
            self._strips = {}
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def begin(self) -> None:
        """Lines are about to be asked for: find out what all of them need."""

    def line(self, y: int) -> Line:
        """The parts of line `y`, counted from 0, for `self.size.width` cells."""
        raise NotImplementedError

    def marked(self, y: int) -> bool:
        """Whether line `y` is under the cursor; such a line also has a sign that says so."""
        del y
        return False

    def render_lines(self, crop: Region) -> list[Strip]:
        """Textual's side of `line`, for the part of the widget that is in sight."""
        size = self.size
        if size != self._size_drawn:
            self._size_drawn = size
            self._strips, self._told, self._before = {}, {}, {}
        drawn = self._strips
        if not drawn:
            self.begin()
            self._told, self._before = {}, self._told
        strips = [drawn.get(y) or self._draw(y, size.width) for y in crop.line_range]
        if crop.column_span != (0, size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        for line_filter in self.get_line_filters():
            background = self.background_colors[1]
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        return strips

    def get_line_filters(self) -> Sequence[LineFilter]:
        """See Widget: the styles of a theme are true colours, there is nothing to make of them."""
        filters = super().get_line_filters()
        return [one for one in filters if not isinstance(one, ANSIToTruecolor)]

    def _draw(self, y: int, room: int) -> Strip:
        told = (tuple(self.line(y)), self.marked(y))
        drawn = self._told.get(told) or self._before.get(told)
        if drawn is None:
            styles, back = self._look(marked=told[1])
            drawn = _segments(told[0], room, styles, back)
        self._told[told] = self._strips[y] = drawn
        return drawn

    def _look(self, *, marked: bool) -> _Look:
        if self._looks is None:
            styles = palette_of(self)
            plain, cursor = Style(bgcolor=self.rich_style.bgcolor), styles["cursor"]
            self._looks = (_on(styles, plain), _on(styles, cursor))
        return self._looks[marked]


def _on(styles: Palette, back: Style) -> _Look:
    return {name: style + back for name, style in styles.items()}, back
