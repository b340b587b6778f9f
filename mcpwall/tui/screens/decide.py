"""A question of its own over a screen, answered by the same armed keys as a call in Review.

What is decided on stands in `Fields`, all of it; a key counts once it was seen to the end. A group
of calls and a tool's changed definition are asked about in this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mcpwall.tui.guard import Intent
from mcpwall.tui.review.panels import rule
from mcpwall.tui.review.stance import stance
from mcpwall.tui.screens.armed import Armed
from mcpwall.tui.screens.base import WallModal
from mcpwall.tui.widgets.fields import Fields
from mcpwall.tui.widgets.frame import Footer
from mcpwall.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from mcpwall.tui.review.layout import Row
    from mcpwall.tui.widgets.lines import Line

ROOM = (60, 14)  # cells across and down


class DecideScreen(WallModal, Armed):  # the first base is the one whose styles hold
    """Shows `rows` below `title_lines`; subclasses say what an answer does."""

    scope = "decide"
    intents: ClassVar = {
        "decide.allow": Intent.ALLOW,
        "decide.confirm": Intent.SECOND,
        "decide.deny": Intent.DENY,
    }
    DEFAULT_CSS = """
    DecideScreen { background: $background; }
    DecideScreen Fields { margin: 0 1; min-height: 3; }
    /* A notice may not lie over what is decided on: above it there is one row. */
    DecideScreen ToastRack { dock: top; height: 1; margin: 0; }
    DecideScreen Toast { height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._note: Line = ()

    def compose(self) -> ComposeResult:
        """What is asked, all that it is about, and the keys."""
        yield Panel(id="asked")
        yield Fields()
        yield Panel(id="answers")
        yield Footer()

    def on_mount(self) -> None:
        """Show it."""
        self.show_rows()

    # --- what a question says of itself ---------------------------------------------------------

    def title_lines(self, room: int) -> list[Line]:
        """What is asked."""
        raise NotImplementedError

    def rows(self, cells: int) -> Sequence[Row]:
        """All that it is about."""
        raise NotImplementedError

    def answers(self) -> tuple[str, str]:
        """What the key that allows does, and the one that denies; "" where there is none."""
        raise NotImplementedError

    # --- drawing --------------------------------------------------------------------------------

    def show_rows(self) -> None:
        """Show it from the start, armed anew."""
        self.query_one(Fields).show(self.rows)
        self.armed_anew()
        self.draw()

    def can_decide(self) -> bool:
        """Whether everything that a decision rests on has a place on screen."""
        return self.size.width >= ROOM[0] and self.size.height >= ROOM[1]

    def say(self, line: Line) -> None:
        """Tell the person something about the last key."""
        self._note = line
        self.draw()

    def draw(self) -> None:
        """Draw all but the rows."""
        if self.query("#asked"):
            lines = self.title_lines(self.size.width)
            if not self.can_decide():  # the rest would push what is said below off the screen
                lines = lines[:1]
            self.query_one("#asked", Panel).show(lines)
            self.draw_state()

    def draw_state(self) -> None:
        """Draw what the keys would do now."""
        if not self.query("#answers"):
            return
        fields, room = self.query_one(Fields), self.size.width
        shown = "all shown" if not fields.below + fields.above else "the end is shown"
        if fields.below:
            shown = f"{fields.below:,} more lines below"
        line: Line = [(f" ▲ too small to decide in: {ROOM[0]}x{ROOM[1]} cells", "alarm")]
        if self.can_decide():
            line = stance(self.guard, self.key_names, self.steady(), *self.answers())
        top = rule("", shown, room, right_style="warn" if fields.below else "dim")
        self.query_one("#answers", Panel).show([top, self._note, line])

    # --- keys -----------------------------------------------------------------------------------

    def key_read(self, event: events.Key) -> bool:
        """Give every key to the guard; decision keys go nowhere else."""
        return self.take_key(event)

    def do_allow(self) -> None:
        """The keys themselves decide, nothing else does."""
        self.say([(" decide with the keys themselves, here", "warn")])

    do_confirm = do_deny = do_allow
