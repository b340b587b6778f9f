"""The editor of a waiting call's arguments: written here, checked by the engine, decided in Review.

Nothing is decided here. `edit.check` has the engine look at what was written; what it takes goes
back to Review, which shows it as it would run and arms its keys anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Vertical

from mcpwall.engine import port, port_answers, port_calls
from mcpwall.tui.review.edited import WrittenError, read, write
from mcpwall.tui.review.layout import safe
from mcpwall.tui.review.panels import rule, time_left
from mcpwall.tui.rules.effect import trouble
from mcpwall.tui.screens.base import WallModal
from mcpwall.tui.widgets.json_area import JsonArea
from mcpwall.tui.widgets.panel import Panel
from mcpwall.tui.words import called

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.tui.widgets.lines import Line

_RULE = 4  # cells of a rule beside its words


@dataclass(frozen=True)
class Written:
    """What the editor leaves behind: its text, and the engine's word when it took it."""

    text: str
    checked: port_answers.EditChecked | None = None


class EditScreen(WallModal):
    """Edits the arguments of `held`, beginning with `text` if that is given. Gives a Written."""

    scope = "edit"
    DEFAULT_CSS = """
    EditScreen { background: $background 40%; }
    EditScreen > Vertical { margin: 2 0 0 0; background: $background; }
    EditScreen #wrong { max-height: 8; }
    """

    def __init__(self, held: port_calls.Held, text: str = "") -> None:
        super().__init__()
        self._held = held
        self._text = text or write(held.arguments)
        self._said: list[Line] = []

    def compose(self) -> ComposeResult:
        """Which call, its arguments, and what is wrong with them."""
        with Vertical():
            yield Panel(id="edit-title")
            yield JsonArea(self._text)
            yield Panel(id="wrong")

    def on_mount(self) -> None:
        """Begin to write."""
        self.query_one(JsonArea).focus()
        self._title()

    def tick(self) -> None:
        """The countdown goes on while the person writes."""
        self._title()

    def _title(self) -> None:
        held, room = self._held, self.size.width
        name = f"EDIT THE ARGUMENTS OF {safe(called(held.row))}"
        right, style = time_left(held, self.wall.now() * 1000, self.size.width)
        if held.row.id not in self.mirror.held:
            how = self.mirror.released.get(held.row.id, "it waits no more")
            right, style = f"this call is over: {safe(how)} ", "alarm"
        lines = [rule(name, right.rstrip(), room, "title", style)]
        self.query_one("#edit-title", Panel).show(lines)

    def on_resize(self) -> None:
        """Another width."""
        self.call_after_refresh(self._title)
        self.call_after_refresh(self._foot)

    def _say(self, lines: list[Line]) -> None:
        """Say what is wrong, or what is done about it."""
        self._said = lines
        self._foot()

    def _foot(self) -> None:
        key = self.wall.keys.key
        keys = (
            f"{key('edit.check')} check and show it in Review   "
            f"{key('edit.restore')} as the agent sent it   {key('edit.close')} back"
        )
        if len(keys) > self.size.width - _RULE:
            keys = f"{key('edit.check')} check   {key('edit.close')} back"
        top = rule("", keys, self.size.width, right_style="accent")
        self.query_one("#wrong", Panel).show([top, *self._said])

    # --- keys -----------------------------------------------------------------------------------

    def do_check(self) -> None:
        """Have what was written looked at."""
        self._check()

    @work(group="check", exclusive=True)
    async def _check(self) -> None:
        held, text = self._held, self.query_one(JsonArea).text
        try:
            arguments = read(text)
        except WrittenError as error:
            self._say(trouble(str(error), self.size.width))
            if error.place:
                self.query_one(JsonArea).move_cursor(error.place)
            return
        self._say([[(" checking…", "dim")]])
        reply = await self.wall.send(
            port_answers.CheckEdit(held.row.id, held.digest, held.revision, arguments)
        )
        if isinstance(reply, port_answers.EditChecked):
            self.dismiss(Written(text, reply))
        elif isinstance(reply, port.Refused):
            lines = [trouble(line, self.size.width) for line in reply.text.splitlines()]
            self._say([part for line in lines for part in line])

    def do_restore(self) -> None:
        """The arguments as the agent sent them."""
        self.query_one(JsonArea).text = write(self._held.arguments)

    def do_close(self) -> None:
        """Back; what was written is kept for the next time."""
        self.dismiss(Written(self.query_one(JsonArea).text))
