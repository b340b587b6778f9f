"""Review: one waiting call at a time, all of it, and the keys that decide on it.

The only room in which a call can be allowed. Whether a key press is a decision is for `tui.guard`
to say; this screen tells it what was painted and when, and sends what it decided to the engine.
Nothing is shown in place of a call that vanished until the person asks for the next one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widgets import Input

from mcpwall.engine import port, port_answers, port_calls
from mcpwall.tui.guard import Decision, Intent, Sight
from mcpwall.tui.keys import key_name
from mcpwall.tui.mirror import Part as Changed
from mcpwall.tui.review.habit import OFTEN, Habit, offered
from mcpwall.tui.review.layout import safe
from mcpwall.tui.review.reading import View
from mcpwall.tui.review.stance import stance
from mcpwall.tui.screens.group import Together
from mcpwall.tui.screens.reading import ROOM_MIN, ReadingScreen
from mcpwall.tui.widgets.entry import Entry
from mcpwall.tui.widgets.rule_form import RuleForm
from mcpwall.tui.words import LOCKED

if TYPE_CHECKING:
    from textual import events

    from mcpwall.model import JsonObject
    from mcpwall.tui.mirror import Changes
    from mcpwall.tui.widgets.lines import Line

_WORDY = 70  # cells from which there is room for what the keys do in sentences
_REASON_MAX = 500  # characters of the reason that the model gets


class ReviewScreen(ReadingScreen):
    """Shows waiting calls and takes decisions."""

    intents: ClassVar = {
        "review.allow": Intent.ALLOW,
        "review.confirm": Intent.SECOND,
        "review.deny": Intent.DENY,
        "review.deny_why": Intent.DENY_WHY,
    }

    def __init__(self) -> None:
        super().__init__()
        self._note: Line = ()
        self._sending = False
        self._why_for: Sight | None = None  # a reason is being written for a denial of this
        # Decided on last, here or in a group: that they wait no more may be told later.
        self._decided: frozenset[int] = frozenset()
        self._wanted = 0  # the call to show when the screen opens
        self._habit = Habit()
        self._offered: JsonObject | None = None

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

    def changed(self, changes: Changes) -> None:
        """The queue moved; the call on screen stays, even if it is over."""
        if not self.is_current or self.bare:
            return
        if Changed.HELD in changes.parts and not self._sending:
            self._follow_call()
        self.draw()

    def tick(self) -> None:
        """The countdowns move."""
        if (sight := self.guard.sight) and self.guard.armed_at(Intent.DENY) is None:
            self.call_after_refresh(self.painted, sight)
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
            self.guard.show(None)
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
        self.guard.show(None)
        self.clear()

    def _show(self, held: port_calls.Held) -> None:
        self._stop_writing()
        self._note = ()
        self.put(held)

    # --- what was pressed -----------------------------------------------------------------------

    def sight_now(self) -> Sight | None:
        """The call on screen, unless an answer to it is on its way."""
        if self._sending or self._why_for or not self.reading or self.reading.over:
            return None
        return self.reading.sight

    def can_decide(self) -> bool:
        """Whether everything that a decision rests on has a place on screen."""
        return not self.bare and self.has_room()

    def shows_all(self) -> bool:
        """What changed is a help for the eye, and not the arguments; and these are counted."""
        reading = self.reading
        return reading is not None and reading.view is not View.DIFF and reading.counts is not None

    def key_read(self, event: events.Key) -> bool:
        """Give every key to the guard; decision keys go nowhere else."""
        if not self._why_for:
            return self.take_key(event)
        if isinstance(self.focused, Entry) and event.key in self.active_bindings:
            return False  # enter, arrows, backspace: they edit the reason
        if key_name(event.key, event.character) in self.wall.keys["review.later"].keys:
            self._stop_writing()
            self.armed_anew()
        return True

    def decided(self, decision: Decision) -> None:
        """Send the answer, or ask for the reason first."""
        if decision.intent is Intent.DENY_WHY:
            self._start_writing(decision.sight)
        else:
            self._send(decision.sight, allow=decision.intent is Intent.ALLOW)

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
        decide = port_answers.Decide(
            sight.call, sight.digest, sight.revision, allow, reason, sight.remember, edited
        )
        self.run_worker(self._decide(decide), group="decide")

    async def _decide(self, decide: port_answers.Decide) -> None:
        reply = await self.wall.send(decide)
        self._sending = False
        if isinstance(reply, port.Refused):
            self.armed_anew()
            self._follow_call()
            self._note = [(f" ▲ {safe(reply.text)}", "alarm")]
        else:
            self._decided = frozenset({decide.call})
            if self.reading and self.reading.held.row.id == decide.call:
                self._show_next()
            else:  # the person went on to another call meanwhile
                self.armed_anew()
                self._follow_call()
            said = reply.text if isinstance(reply, port.Done) else ""
            said = said or ("allowed" if decide.allow else "denied")
            style = "ok" if decide.allow else "bad"
            self._note = [(f" call {decide.call}: {safe(said)}", style), *self._offer(decide)]
        self.draw()

    def decided_together(self, answered: object) -> None:
        """Go on to what waits besides the group, and say what became of it."""
        if isinstance(answered, Together):
            self._decided = answered.calls
            self._show_next()
            self.say([(f" {safe(answered.said)}", "strong")])

    def _offer(self, decide: port_answers.Decide) -> Line:
        """A rule, after the same answer again and again."""
        row = self.mirror.rows.get(decide.call)
        self._offered = None
        if row is None or decide.remember or decide.edited:
            return ()
        count = self._habit.answered(row, allow=decide.allow)
        if count < OFTEN:
            return ()
        self._offered = offered(row, allow=decide.allow)
        key = self.wall.keys.key("review.rule")
        return [
            (f"   the {count}th such answer: ", "waiting"),
            (key, "accent"),
            (" makes a rule", ""),
        ]

    def do_rule(self) -> None:
        """The rule that was offered, else one from the call on screen; nothing is saved yet."""
        if self._offered:
            self.app.push_screen(RuleForm(self._offered))
        elif self.reading:
            self.wall.rule_from(self.reading.held.row)

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
            line = [(" why not?  enter denies  esc does not", "strong")]
            if not self.small:
                line = [(" why not?   enter denies with this reason   esc does not deny", "strong")]
        elif reading and reading.over:
            line = [(f" ✗ this call is over: {safe(reading.over)}", "alarm")]
        elif reading and not self.has_room():
            line = [(f" ▲ too small to decide in: {ROOM_MIN[0]}x{ROOM_MIN[1]} cells", "alarm")]
        elif away := self.wall.engine_away:
            line = [(f" {away}: nothing can be decided", away.style)]
        elif reading:
            now, brief = self.steady(), self.size.width < _WORDY
            allow = f"allow {reading.lasts}"
            line = stance(self.guard, self.key_names, now, allow, "deny", brief=brief)
            if reading.memory.remember() and not self.small:
                line = [*line, ("  remembered", "warn")]
        unheaded = self._unheaded()
        note = self._note if self.reading or not unheaded else ()
        return [note or unheaded, line]

    def _unheaded(self) -> Line:
        """That the wall is locked down, where there is no room for the header that says it."""
        status = self.mirror.status
        if self.has_class("-tiny") and status and status.lockdown:
            return [(f" {LOCKED}", LOCKED.style)]
        return ()

    def waiting(self) -> list[port_calls.Held]:
        """The calls that wait, without those just decided on."""
        return [held for id_, held in self.mirror.held.items() if id_ not in self._decided]
