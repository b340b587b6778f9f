"""What Review shows of a call, without the deciding: panels, views, scrolling, comparison.

`screens.review` builds on it. All that changes what a decision would mean ends in `armed_anew`.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from mcpwall.engine import port_answers, port_calls, port_rules
from mcpwall.text import fit
from mcpwall.tui.review import panels, small
from mcpwall.tui.review.group import alike
from mcpwall.tui.review.pieces import counting
from mcpwall.tui.review.reading import TALL, Reading, View
from mcpwall.tui.review.rows import Rows
from mcpwall.tui.screens.armed import Armed
from mcpwall.tui.screens.base import WallScreen
from mcpwall.tui.screens.edit import EditScreen, Written
from mcpwall.tui.screens.group import GroupScreen
from mcpwall.tui.widgets.entry import Entry
from mcpwall.tui.widgets.fields import Fields
from mcpwall.tui.widgets.lines import spread
from mcpwall.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.tui.keys import Action
    from mcpwall.tui.review.memory import Memory
    from mcpwall.tui.widgets.lines import Line, Part

ROOM = (60, 20)  # cells across and down from which the arguments scroll and all else stands
_EDIT_MAX = 65_536  # bytes of arguments: with more, each key in the editor takes a second
ROOM_MIN = (40, 12)  # and from which all of it scrolls as one


class ReadingScreen(WallScreen, Armed):  # the first base is the one whose styles hold
    """One call of the queue on screen, or none."""

    scope = "review"
    DEFAULT_CSS = """
    ReadingScreen Fields { margin: 0 1; min-height: 3; }
    ReadingScreen #reason { height: 1; border: none; padding: 0 1; display: none; }
    ReadingScreen.-writing #reason { display: block; }
    ReadingScreen.-tiny HeaderLine, ReadingScreen.-tiny TabLine, ReadingScreen.-tiny Footer {
        display: none;
    }
    /* Notices may not lie over what is decided on. */
    ReadingScreen ToastRack { dock: top; height: 2; margin: 0; }
    ReadingScreen Toast { height: 2; }
    ReadingScreen.-tiny ToastRack, ReadingScreen.-tiny Toast { height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.reading: Reading | None = None
        self._laid_out_small = False
        self._draft = (0, "")  # the call edited last, and what stood in the editor

    def body(self) -> ComposeResult:
        """From top to bottom: which call, who wants what, all of it, why, and the keys."""
        yield Panel(id="title")
        yield Panel(id="head")
        yield Fields()
        yield Panel(id="foot")
        yield Panel(id="why")
        yield Panel(id="remember")
        yield Panel(id="state")
        yield Entry(
            id="reason", compact=True, placeholder="why not (the model reads this), enter denies"
        )
        yield Panel(id="queue")

    def waiting(self) -> list[port_calls.Held]:
        """The calls that wait, the next to expire first."""
        return list(self.mirror.held.values())

    @property
    def bare(self) -> bool:
        """Whether there is nothing to draw on: not composed yet, or the app is closing."""
        return not self.query("#queue")

    def has_room(self) -> bool:
        """Whether everything that a decision rests on has a place on screen."""
        return self.size.width >= ROOM_MIN[0] and self.size.height >= ROOM_MIN[1]

    @property
    def small(self) -> bool:
        """Whether there is room only for all of it scrolled as one."""
        return self.size.width < ROOM[0] or self.size.height < ROOM[1]

    def state_lines(self) -> list[Line]:
        """What the decision keys would do now."""
        raise NotImplementedError

    # --- the call on screen ---------------------------------------------------------------------

    def put(self, held: port_calls.Held) -> None:
        """Show a call from its start."""
        self.reading = Reading.of(held)
        self._lay_out()
        self._compare(held)
        self._ask_matches()

    def clear(self) -> None:
        """Show no call."""
        self.reading = None
        self.query_one(Fields).show(None)

    def _lay_out(self) -> None:
        if self.reading:
            self._laid_out_small = self.small
            self.query_one(Fields).show(self._rows)
            if self.reading.counts is None:
                self._count_arguments(self.reading)
            self.armed_anew()
        self.draw()

    def _rows(self, cells: int) -> Rows:
        if not (reading := self.reading):
            return Rows(())
        if not self.small:
            return Rows(reading.pieces(cells))
        session = self.mirror.sessions.get(reading.held.row.session)
        return Rows(small.pieces(reading, session, cells))

    @work(group="arguments", exclusive=True)
    async def _count_arguments(self, reading: Reading) -> None:
        """Count large arguments while nothing else is to do; what was pressed before is void."""
        counts = None
        for so_far in counting(reading.arguments):
            counts = so_far
            await sleep(0)
        now = self.reading
        if not now or now.counts or not counts or not now.same_as(reading):
            return
        self.reading = replace(now, counts=counts)
        if self.small and counts.hidden:  # that is said above the arguments
            self._lay_out()
        else:
            self.armed_anew()
        self.draw()

    def on_resize(self) -> None:
        """From one layout to the other, everything is shown from its start."""
        if not self.bare and self.small != self._laid_out_small:
            self._lay_out()

    @work(group="compare", exclusive=True)
    async def _compare(self, held: port_calls.Held) -> None:
        """Find the previous call like this one and its arguments."""
        row = self.mirror.previous_like(held.row)
        reply = await self.wall.send(port_calls.Details(row.id)) if row else None
        if not isinstance(reply, port_calls.CallDetails) or reply.arguments is None:
            return
        now = self.reading
        if now and now.held.row.id == held.row.id:
            self.reading = now.compared_with(reply.row, reply.arguments)
            self.draw()

    def _ask_matches(self) -> None:
        if self.reading:
            self._count(self.reading)

    @work(group="count", exclusive=True)
    async def _count(self, reading: Reading) -> None:
        """How many of the last calls the chosen match would have answered."""
        step = reading.memory.chosen
        probe = port_answers.Remember(
            port_answers.Scope.SESSION, step.match, step.argument, step.pattern
        )
        reply = await self.wall.send(port_rules.Preview(remember=probe, call=reading.held.row.id))
        if isinstance(reply, port_rules.Previewed):
            text = f"would have matched {len(reply.matched)} of the last {reply.checked} calls"
        else:
            text = "how many calls it would have matched is not known"
        now = self.reading
        if now and now.held is reading.held and now.memory.chosen is step:
            self.reading = replace(now, matched=text)
            self.draw()

    # --- the keys that change what is seen ------------------------------------------------------

    def do_remember(self) -> None:
        """Remember the answer for longer; after the longest, for this one call again."""
        self._choose(lambda memory: memory.next_scope())

    def do_widen(self) -> None:
        """One step wider."""
        self._choose(lambda memory: memory.widen())

    def do_narrow(self) -> None:
        """One step narrower."""
        self._choose(lambda memory: memory.narrow())

    def _choose(self, change: Callable[[Memory], Memory]) -> None:
        if not self.reading:
            return
        if self.reading.edit or self.reading.held.late:
            what = "an edited call" if self.reading.edit else "a call whose time is up"
            self.say([(f" {what} is allowed once; nothing is remembered", "warn")])
            return
        before = self.reading.memory
        self.reading = replace(self.reading, memory=change(before))
        if self.small:  # what it means stands above the arguments
            self._lay_out()
        else:
            self.armed_anew()
        if self.reading.memory.chosen is not before.chosen:
            self.reading = replace(self.reading, matched="")
            self._ask_matches()
        self.draw()

    def do_raw(self) -> None:
        """The arguments as JSON, or as fields again."""
        self._view(View.RAW)

    def do_reveal(self) -> None:
        """The secrets that are hidden in the arguments, or their marks again."""
        reading = self.reading
        if not reading or not reading.held.masked or reading.edit:
            return
        if reading.revealed is None:
            self._reveal(reading.held)
        else:
            self.reading = reading.revealing(None)
            self._lay_out()

    @work(group="reveal", exclusive=True)
    async def _reveal(self, held: port_calls.Held) -> None:
        reply = await self.wall.send(port_answers.Reveal(held.row.id, held.digest))
        now = self.reading
        if isinstance(reply, port_answers.Revealed) and now and now.shows(held) and not now.edit:
            self.reading = now.revealing(reply.arguments)
            self._lay_out()

    def do_diff(self) -> None:
        """What changed since the previous call like it, or the fields again."""
        self._view(View.DIFF)

    def _view(self, view: View) -> None:
        if self.reading:
            self.reading = self.reading.toggled(view)
            self._lay_out()
            self.draw()

    # --- the arguments, written by the person ---------------------------------------------------

    def why_off(self, action: Action) -> str:
        """What cannot be edited, and why."""
        if action.name in ("edit", "unedit", "group") and (
            self.reading is None or self.reading.over
        ):
            return "no call waits here"
        if action.name == "edit" and self.reading and self.reading.held.late:
            return "its time is up: it can be allowed once, as it was sent"
        if action.name == "edit" and self.reading and self.reading.held.row.size > _EDIT_MAX:
            size = self.reading.held.row.size
            return f"its arguments have {size:,} bytes; at most {_EDIT_MAX:,} can be edited here"
        if action.name == "unedit" and self.reading and not self.reading.edit:
            return "nothing is edited"
        return super().why_off(action)

    def do_edit(self) -> None:
        """Write other arguments for this call; they are looked at before anything runs."""
        if self.reading:
            held = self.reading.held
            call, text = self._draft
            screen = EditScreen(held, text if call == held.row.id else "")
            self.app.push_screen(screen, lambda written: self._edited(held, written))

    def _edited(self, held: port_calls.Held, written: object) -> None:
        """The editor was closed."""
        if not isinstance(written, Written):
            return
        self._draft = (held.row.id, written.text)
        if written.checked and self.reading and self.reading.shows(held):
            self.put_edit(written.checked)

    def do_group(self) -> None:
        """All calls alike to this one, decided together."""
        if self.reading:
            calls = alike(self.reading.held, self.waiting())
            if len(calls) == 1:
                self.say([(" no other call like it waits", "dim")])
                return
            self.app.push_screen(GroupScreen(calls), self.decided_together)

    def decided_together(self, answered: object) -> None:
        """The group's screen was closed, with a `Together` or without an answer."""
        raise NotImplementedError

    def do_unedit(self) -> None:
        """The arguments as the agent sent them."""
        self.put_edit(None)

    def put_edit(self, edit: port_answers.EditChecked | None) -> None:
        """Show the call as it would run now, from its start."""
        if self.reading:
            self.reading = self.reading.edited(edit)
            self._lay_out()
            self._ask_matches()

    # --- drawing --------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw all but the arguments."""
        if self.bare:
            return
        reading = self.reading
        if reading is None or not self.has_room():
            self._draw_title()
            for name in ("head", "foot", "why", "remember", "queue"):
                self._panel(name, [])
        elif self.small:
            self._draw_small(reading)
        else:
            self._draw_title()
            self._draw_large(reading)
        self.draw_state()

    def _draw_title(self) -> None:
        reading = self.reading
        right: Part = ("over ", "alarm") if reading and reading.over else ("", "")
        if reading and not reading.over:
            right = panels.time_left(reading.held, self.wall.now() * 1000, self.size.width)
        others = f"{self._key('next')} next   {self._key('previous')} previous"
        place = (self.place(), len(self.waiting()))
        self._panel("title", [panels.title(place, others, right, self.size.width)])

    def _draw_large(self, reading: Reading) -> None:
        room, height, held = self.size.width, self.size.height, reading.held
        fields, session = self.query_one(Fields), self.mirror.sessions.get(held.row.session)
        self._panel("head", panels.head(held, session, room, edited=reading.edit is not None))
        place = fields.above, fields.below, room
        self._panel("foot", [panels.foot(reading, *place, whole=fields.whole)])
        self._panel("why", reading.why(room, height, self.wall.zone, self._key("diff")))
        keys = (
            f"{self._key('remember')} for   {self._key('widen')} wider   "
            f"{self._key('narrow')} narrower"
        )
        self._panel("remember", reading.remember(room, height, keys))
        waiting, now_ms = self.waiting(), self.wall.now() * 1000
        queue = panels.queue(waiting, held.row.id, now_ms, room) if height >= TALL else []
        self._panel("queue", queue)

    def _draw_small(self, reading: Reading) -> None:
        room, fields = self.size.width, self.query_one(Fields)
        place = (self.place(), len(self.waiting()))
        self._panel("title", [])
        self._panel("head", small.head(reading, place, self.wall.now() * 1000, room))
        rows = fields.above, fields.below, room
        self._panel("foot", [small.foot(reading, *rows, whole=fields.whole)])
        remembers = reading.memory.remember() is not None
        self._panel("remember", [[(f" {fit(reading.matched, room - 2)}", "dim")]] * remembers)
        for name in ("why", "queue"):
            self._panel(name, [])

    def draw_state(self) -> None:
        """Draw what moves between two calls of `draw`."""
        if self.bare:
            return
        lines = [spread(line, [], self.size.width) for line in self.state_lines()]
        top = [] if self.small else [panels.rule("", "", self.size.width)]
        self._panel("state", [*top, *lines])

    def _panel(self, name: str, lines: list[Line]) -> None:
        self.query_one(f"#{name}", Panel).show(lines)

    def _key(self, name: str) -> str:
        return self.wall.keys.key(f"review.{name}")

    def place(self) -> int:
        """Which of the waiting calls is on screen, counted from 1; 0 for none."""
        shown = self.reading.held.row.id if self.reading else None
        return next((at for at, held in enumerate(self.waiting(), 1) if held.row.id == shown), 0)
