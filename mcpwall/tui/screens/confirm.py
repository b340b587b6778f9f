"""A question before something that cannot be taken back lightly. Enter answers nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from mcpwall.tui.screens.base import WallModal
from mcpwall.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from mcpwall.tui.widgets.lines import Line


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

    def on_mount(self) -> None:
        """Say it."""
        yes, no = self.wall.keys.key("confirm.yes"), self.wall.keys.key("confirm.no")
        lines: list[Line] = [[(self._question, "strong")], []]
        lines += [[(text, "")] for text in self._because]
        keys: Line = [(yes, "accent"), (" yes      ", ""), (no, "accent"), (" no", "")]
        self.query_one(Panel).show([*lines, [], keys])

    def do_yes(self) -> None:
        """Do it."""
        self.dismiss(True)

    def do_no(self) -> None:
        """Leave it."""
        self.dismiss(False)
