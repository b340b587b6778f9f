"""Review: one waiting call at a time, all of it, and the keys that decide on it.

The only room in which a call can be allowed. Whether a key press is a decision is for `tui.guard`
to say; this screen tells it what was painted and when, and sends what it decided to the engine.
Nothing is shown in place of a call that vanished until the person asks for the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from textual import on
from textual.message import Message
from textual.widgets import Input

from mcpwall.engine import port
from mcpwall.tui.guard import Answer, Decision, Guard, Ignored, Intent, SecondKey, Sight, Wait
from mcpwall.tui.keys import key_name
from mcpwall.tui.mirror import Part as Changed
from mcpwall.tui.review.layout import safe
from mcpwall.tui.review.reading import View
from mcpwall.tui.review.stance import stance
from mcpwall.tui.screens.reading import ROOM, ReadingScreen
from mcpwall.tui.widgets.entry import Entry
from mcpwall.tui.widgets.fields import Fields

if TYPE_CHECKING:
    from textual import events

    from mcpwall.tui.mirror import Changes
    from mcpwall.tui.widgets.lines import Line

Later: TypeAlias = Callable[[float, Callable[[], None]], object]

_INTENTS = {
    "review.allow": Intent.ALLOW,
    "review.confirm": Intent.SECOND,
    "review.deny": Intent.DENY,
    "review.deny_why": Intent.DENY_WHY,
}
_FRAME_S = 0.1
_REASON_MAX = 500  # characters of the reason that the model gets


def read_clock() -> float:
    """Seconds of the clock with which Textual stamps a key in the thread that reads it."""
    return Message().time


class ReviewScreen(ReadingScreen):
    """Shows waiting calls and takes decisions; `steady` and `later` are its clock and timers."""

    def __init__(self) -> None:
        super().__init__()
        self.steady: Callable[[], float] = read_clock
        self.later: Later = self.set_timer
        self._note: Line = ()
        self._sending = False
        self._why_for: Sight | None = None  # a reason is being written for a denial of this
        self._decided = 0  # the call decided on last: its release may be told later
        self._wanted = 0  # the call to show when the screen opens
        self._framing = False

    def on_mount(self) -> None:
        """Learn which keys decide, and notice when the terminal loses and gains the focus."""
        self._names = {i: self.wall.keys.key(name) for name, i in _INTENTS.items()}
        self._guard = Guard(
            {key: i for name, i in _INTENTS.items() for key in self.wall.keys[name].keys}
        )
        self.watch(self.app, "app_focus", self._focus_changed, init=False)

    # --- which call -----------------------------------------------------------------------------

    def show_call(self, call: int) -> None:
        """Show this waiting call, armed anew; another one when it waits no more."""
        self._wanted = call
        if self.is_current and self.is_mounted:
            self.on_screen_resume()

    def on_screen_resume(self) -> None:
        """Opened, or what lay over it is gone."""
        reading = self.reading
        shown = reading.held.row.id if reading else 0
        held = self.mirror.held.get(self._wanted or shown)
        self._wanted = 0
        if held and reading and reading.shows(held):
            self.armed_anew()
        elif held:
            self._show(held)
        else:
            self._show_next()
            if reading:
                self._note = [(f" call {reading.held.row.id} is over", "dim")]
        self.draw()

    def on_screen_suspend(self) -> None:
        """Something else is in front: no key counts."""
        self._guard.disturb()

    def changed(self, changes: Changes) -> None:
        """The queue moved; the call on screen stays, even if it is over."""
        if not self.is_current or self.bare:
            return
        if Changed.HELD in changes.parts and not self._sending:
            self._follow_call()
        self.draw()

    def tick(self) -> None:
        """The countdowns move."""
        if (sight := self._guard.sight) and self._guard.armed_at(Intent.DENY) is None:
            self.call_after_refresh(self._painted, sight)
        self.draw()

    def _follow_call(self) -> None:
        reading = self.reading
        if reading is None:
            self._show_next()
        elif reading.over:
            return
        elif (held := self.mirror.held.get(reading.held.row.id)) is None:
            how = self.mirror.released.get(reading.held.row.id, "it waits no more")
            self._stop_writing()
            self._guard.show(None)
            self.reading = replace(reading, over=how)
        elif not reading.shows(held):
            self._show(held)
            self._note = [(" ▲ this call or its rules changed: read it again", "alarm")]
        elif held != reading.held:
            self.reading = replace(reading, held=held)

    def _show_next(self) -> None:
        """Show the call whose time is up first, or that there is none."""
        if waiting := self.waiting():
            self._show(waiting[0])
            return
        self._guard.show(None)
        self.clear()

    def _show(self, held: port.Held) -> None:
        self._stop_writing()
        self._note = ()
        self.put(held)

    # --- what was painted -----------------------------------------------------------------------

    def armed_anew(self) -> None:
        """Void what was pressed, and let keys count again some time after the next paint."""
        if self._sending or self._why_for:
            return
        if self.reading and not self.reading.over:
            self._guard.show(self.reading.sight)
            self.call_after_refresh(self._painted, self.reading.sight)

    def _painted(self, sight: Sight) -> None:
        if self.bare:
            return
        fields = self.query_one(Fields)
        if not (self.is_current and self.app.app_focus and fields.drawn) or not self.has_room():
            return
        now = self.steady()
        self._guard.painted(sight, now)
        if fields.end_drawn and self.reading and self.reading.view is not View.DIFF:
            self._guard.end_painted(sight, now)
        self.draw()
        self._keep_drawing()

    def on_resize(self) -> None:
        """All moves: nothing that was pressed counts."""
        self.armed_anew()
        self.draw()

    def _focus_changed(self, focused: bool) -> None:
        """A person who comes back to this window has to see the call first."""
        if focused:
            self.armed_anew()
        else:
            self._guard.disturb()

    @on(Fields.Moved)
    def _moved(self) -> None:
        if self._guard.sight:
            self.call_after_refresh(self._painted, self._guard.sight)
        self.draw()

    # --- what was pressed -----------------------------------------------------------------------

    def key_read(self, event: events.Key) -> bool:
        """Give every key to the guard; decision keys go nowhere else."""
        name = key_name(event.key, event.character)
        if self._why_for:
            if isinstance(self.focused, Entry) and event.key in self.active_bindings:
                return False  # enter, arrows, backspace: they edit the reason
            if name in self.wall.keys["review.later"].keys:
                self._stop_writing()
                self.armed_anew()
            return True
        decides = name in self._guard.keys
        if decides and self.wall.engine_gone:
            self._note = [(f" no answer can be given: {safe(self.wall.engine_gone)}", "alarm")]
        else:
            self._note = ()
            self._take(self._guard.key(name, event.time))
        self.draw()
        return decides

    def on_paste(self, event: events.Paste) -> None:
        """Text is no answer."""
        event.stop()
        self._guard.paste(event.time)
        self._note = [(" ignored: a paste decides nothing", "warn")]
        self.draw()

    def _take(self, answer: Answer | None) -> None:
        match answer:
            case Ignored(why=why):
                self._note = [(f" {why}", "warn")]
            case Wait(until=until):
                self.later(max(0.0, until - self.steady()), self._settle_soon)
            case SecondKey():
                self._keep_drawing()
            case Decision(intent=Intent.DENY_WHY, sight=sight):
                self._start_writing(sight)
            case Decision(intent=intent, sight=sight):
                self._send(sight, allow=intent is Intent.ALLOW)

    def _settle_soon(self) -> None:
        """By way of the app's queue, as keys come: those read before now are handled before."""
        self.app.call_later(self.call_later, self._settle)

    def _settle(self) -> None:
        self._take(self._guard.settle(self.steady()))
        self.draw()

    def _start_writing(self, sight: Sight) -> None:
        self._why_for = sight
        self.add_class("-writing")
        self.query_one(Entry).focus()

    def _stop_writing(self) -> None:
        self._why_for = None
        self.remove_class("-writing")
        field = self.query_one(Entry)
        field.value = ""
        self.set_focus(None)

    @on(Input.Submitted)
    def _written(self, event: Input.Submitted) -> None:
        sight, reason = self._why_for, event.value[:_REASON_MAX]
        self._stop_writing()
        if sight:
            self._send(sight, allow=False, reason=reason)

    # --- what goes to the engine ----------------------------------------------------------------

    def _send(self, sight: Sight, *, allow: bool, reason: str = "") -> None:
        self._sending = True
        edited = sight.edited if allow else ""
        decide = port.Decide(
            sight.call, sight.digest, sight.revision, allow, reason, sight.remember, edited
        )
        self.run_worker(self._decide(decide), group="decide")

    async def _decide(self, decide: port.Decide) -> None:
        reply = await self.wall.send(decide)
        self._sending = False
        if isinstance(reply, port.Refused):
            self.armed_anew()
            self._follow_call()
            self._note = [(f" ▲ {safe(reply.text)}", "alarm")]
        else:
            self._decided = decide.call
            if self.reading and self.reading.held.row.id == decide.call:
                self._show_next()
            else:  # the person went on to another call meanwhile
                self.armed_anew()
                self._follow_call()
            said = reply.text if isinstance(reply, port.Done) else ""
            said = said or ("allowed" if decide.allow else "denied")
            style = "ok" if decide.allow else "bad"
            self._note = [(f" call {decide.call}: {safe(said)}", style)]
        self.draw()

    # --- the keys of the table ------------------------------------------------------------------

    def do_allow(self) -> None:
        """Named in a list of commands: the keys themselves decide, nothing else does."""
        self._note = [(" decide with the keys themselves, here", "warn")]
        self.draw()

    do_confirm = do_deny = do_deny_why = do_allow

    def do_next(self) -> None:
        """The next waiting call."""
        self._step(1)

    def do_previous(self) -> None:
        """The waiting call before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        waiting = self.waiting()
        at = self.place() - 1
        if not waiting or (at >= 0 and len(waiting) == 1):
            self._note = [(" nothing else waits", "dim")]
            self.draw()
            return
        self._show(waiting[(at + by) % len(waiting) if at >= 0 else 0])

    def do_later(self) -> None:
        """Leave it waiting."""
        self.wall.open("calls")

    # --- drawing --------------------------------------------------------------------------------

    def _keep_drawing(self) -> None:
        """Draw the state of the keys again and again while it moves by itself."""
        if self._framing or not self._moving():
            return
        self._framing = True
        self.later(_FRAME_S, self._frame)

    def _frame(self) -> None:
        self._framing = False
        self.draw_state()
        self._keep_drawing()

    def _moving(self) -> bool:
        now = self.steady()
        times = (self._guard.armed_at(Intent.DENY), self._guard.armed_at(Intent.ALLOW))
        if any(at is not None and now < at for at in times):
            return True
        return self._guard.second_until(now) is not None

    def say(self, line: Line) -> None:
        """Tell the person something about the last key."""
        self._note = line
        self.draw()

    def state_lines(self) -> list[Line]:
        """What was made of the last key, and what the next one would do."""
        reading = self.reading
        line: Line = [(" Nothing waits for you.", "dim")]
        if self._sending:
            line = [(" sending your answer…", "dim")]
        elif self._why_for:
            line = [(" why not?   enter denies with this reason   esc does not deny", "strong")]
        elif reading and reading.over:
            line = [(f" ✗ this call is over: {safe(reading.over)}", "alarm")]
        elif reading and not self.has_room():
            line = [(f" ▲ too small to decide in: {ROOM[0]} by {ROOM[1]} cells at least", "alarm")]
        elif reading:
            line = stance(self._guard, reading.memory, self._names, self.steady())
        return [self._note, line]

    def waiting(self) -> list[port.Held]:
        """The calls that wait, without the one just decided on."""
        return [held for id_, held in self.mirror.held.items() if id_ != self._decided]
