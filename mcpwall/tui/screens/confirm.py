"""A question before something that cannot be taken back lightly. Enter answers nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from mcpwall.text import width
from mcpwall.tui.review.layout import prose
from mcpwall.tui.review.panels import capped
from mcpwall.tui.screens.base import WallModal
from mcpwall.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from mcpwall.tui.widgets.lines import Line

_FRAME = (6, 4)  # cells of the frame and the air within it, across and down


class ConfirmScreen(WallModal):
    """Asks `question` (safe text) and gives True or False; `because` are lines below it."""

    scope = "confirm"
    ROOM = 66  # cells for a line
    CSS = """
    ConfirmScreen { align: center middle; background: $background 60%; }
    ConfirmScreen Vertical { width: 72; max-width: 100%; height: auto; background: $panel;
        border: round $warning; padding: 1 2; }
    """

    def __init__(self, question: str, because: Sequence[str] = ()) -> None:
        super().__init__()
        self._question = question
        self._because = because

    def compose(self) -> ComposeResult:
        """The question, what it means, and the two keys."""
        with Vertical():
            yield Panel()

    def on_resize(self, event: events.Resize) -> None:
        """Say it in the room there is: nothing is cut without a word, and the keys are there."""
        yes, no = self.wall.keys.key("confirm.yes"), self.wall.keys.key("confirm.no")
        room = min(self.ROOM, event.size.width - _FRAME[0])
        lines: list[Line] = [[(part, "strong")] for part in prose(self._question, room)]
        lines += [[], *([(part, "")] for text in self._because for part in _rows(text, room)), []]
        keys: Line = [(yes, "accent"), (" yes      ", ""), (no, "accent"), (" no", "")]
        self.query_one(Panel).show([*capped(lines, event.size.height - _FRAME[1] - 1), keys])

    def do_yes(self) -> None:
        """Do it."""
        self.dismiss(True)

    def do_no(self) -> None:
        """Leave it."""
        self.dismiss(False)


def _rows(text: str, room: int) -> list[str]:
    """A line as it stands, blanks and all, where it fits; else broken between words."""
    return [text] if width(text) <= room else prose(text, room)
