"""A question of its own over a screen, answered by the same armed keys as a call in Review.

What is decided on stands in `Fields`, all of it; a key counts once it was seen to the end. A group
of calls and a tool's changed definition are asked about in this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mcpwall.tui.guard import Intent
from mcpwall.tui.review.layout import Row
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

    from mcpwall.tui.widgets.lines import Line

ROOM = (60, 14)  # cells across and down from which what is asked stands above the rows
ROOM_MIN = (40, 12)  # and from which all of it scrolls as one


class DecideScreen(WallModal, Armed):  # the first base is the one whose styles hold
    """Shows `rows` below `title_lines`; subclasses say what an answer does.

    Where there is little room, what is asked is the first of the rows. `over` says why nothing can
    be decided any more.
    """

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
        self.over = ""
        self._note: Line = ()
        self._laid_out_small = False

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
        """What is asked, its first line in a few words; what they leave out stands below it."""
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
        self._laid_out_small = self.small
        self.query_one(Fields).show(self._all_rows if self.small else self.rows)
        self.armed_anew()
        self.draw()

    def _all_rows(self, cells: int) -> Sequence[Row]:
        asked = ("".join(text for text, _ in line) for line in self.title_lines(cells)[1:])
        return [*(Row("", text[1:]) for text in asked), *self.rows(cells)]

    def on_resize(self) -> None:
        """From one layout to the other, everything is shown from its start."""
        if self.query(Fields) and self.small != self._laid_out_small:
            self.show_rows()

    @property
    def small(self) -> bool:
        """Whether there is room only for all of it scrolled as one."""
        return self.size.width < ROOM[0] or self.size.height < ROOM[1]

    def can_decide(self) -> bool:
        """Whether everything that a decision rests on has a place on screen."""
        return self.size.width >= ROOM_MIN[0] and self.size.height >= ROOM_MIN[1]

    def say(self, line: Line) -> None:
        """Tell the person something about the last key."""
        self._note = line
        self.draw()

    def draw(self) -> None:
        """Draw all but the rows."""
        if self.query("#asked"):
            lines = self.title_lines(self.size.width)
            self.query_one("#asked", Panel).show(lines[:1] if self.small else lines)
            self.draw_state()

    def draw_state(self) -> None:
        """Draw what the keys would do now."""
        if not self.query("#answers"):
            return
        fields, room = self.query_one(Fields), self.size.width
        shown = "all shown" if not fields.below + fields.above else "the end is shown"
        if fields.below:
            shown = f"{fields.below:,} more lines below"
        line: Line = [(f" ▲ {self.over}", "alarm")]
        if not self.can_decide():
            line = [(f" ▲ too small to decide in: {ROOM_MIN[0]}x{ROOM_MIN[1]} cells", "alarm")]
        elif not self.over:
            now, answers = self.steady(), self.answers()
            line = stance(self.guard, self.key_names, now, *answers, brief=self.small)
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
