"""Calls that wait for a person: held, decided once, withdrawn, or refused when their time is up.

A decision quotes the digest and the revision that were on screen. Whatever changes under a waiting
call (rules, its tool's definition) has it judged again: it is then refused, released, or waits on
under a new revision, so that an answer to what it was before no longer fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine import hiding, wording
from mcpwall.engine.editing import Edit, take_back
from mcpwall.engine.late import BETWEEN, SAID
from mcpwall.engine.port import Done, Refused, ReleasedEvent
from mcpwall.engine.port_answers import CheckEdit, Decide, Reveal, Revealed
from mcpwall.engine.port_calls import Held, State
from mcpwall.engine.reservations import Release
from mcpwall.engine.rounds import COMES_BACK
from mcpwall.model import TOOLS_CALL, TWO_KEYS, Action, Cause, JsonObject, Verdict, span
from mcpwall.policy.flags import flags
from mcpwall.protocol import asked, codec
from mcpwall.store.records import By, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpwall.engine.clock import Timer
    from mcpwall.engine.core import Engine
    from mcpwall.engine.live import Live
    from mcpwall.engine.records import Record
    from mcpwall.protocol.requests import Request

PER_SESSION: Final = 50
BYTES_PER_SESSION: Final = 4 * 1024 * 1024  # of arguments, which the apps get whole
BESIDE_BYTES: Final = 64 * 1024  # that one call sends beside them
PROGRESS_S: Final = 10.0
_DENIED_BY: Final = {  # what ended a call that waited, where that is no rule
    Cause.LOCKDOWN: "the lockdown",
    Cause.PAUSED: "the pause of its session",
    Cause.UNLISTED: "a change of its tool",
}


class Hold(msgspec.Struct, eq=False):
    """One waiting call."""

    live: Live
    record: Record
    since_ms: int
    deadline_ms: int
    revision: int
    timers: list[Timer]
    beside: JsonObject = {}  # what it sends that is no argument of it
    edits: dict[str, Edit] = {}  # those that a person may let run, by digest
    shown: Held | None = None  # what the apps are told of it; None once it waits no more

    def held(self, why: tuple[str, ...], flags: tuple[str, ...], *, two_keys: bool) -> Held:
        """The call with all that a person must see to decide."""
        call = self.record.call
        return Held(
            self.record.row(),
            hiding.arguments(self.record),
            call.digest,
            self.revision,
            self.since_ms,
            self.deadline_ms,
            two_keys,
            why,
            flags,
            self.live.tool_of(call),
            masked=bool(self.record.shown),
        )


class Holds:
    """All waiting calls by number."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._holds: dict[int, Hold] = {}
        self._revisions = 0

    def __iter__(self) -> Iterator[Hold]:
        return iter(self._holds.values())

    def get(self, call: int) -> Hold | None:
        """The waiting call of this number."""
        return self._holds.get(call)

    def full(self, live: Live, request: Request, arguments: bytes) -> str:
        """Why a request of this session with these `arguments` may not wait; '' when it may."""
        waiting = live.held_sizes
        if len(codec.encode(asked.beside(request))) > BESIDE_BYTES:
            return f"a call that waits may send {BESIDE_BYTES} bytes beside its arguments"
        if len(waiting) >= PER_SESSION:
            return f"{PER_SESSION} calls of this session wait for a person already"
        if sum(waiting) + len(arguments) > BYTES_PER_SESSION:
            return f"waiting calls of a session may have {BYTES_PER_SESSION} bytes of arguments"
        return ""

    def add(self, live: Live, record: Record) -> None:
        """Hold a call until a person answers or its time is up."""
        clock = self._engine.clock
        now = clock.wall_ms()
        seconds = self._engine.rounds.seconds(live, record)
        self._revisions += 1
        hold = Hold(live, record, now, now + int(seconds * 1000), self._revisions, [])
        hold.beside = asked.beside(record.request)
        self._holds[record.call.id] = hold
        record.state = State.HELD
        self._engine.records.held += 1
        hold.timers.append(clock.call_later(seconds, lambda: self._time_is_up(hold)))
        hold.timers.append(clock.call_later(PROGRESS_S, lambda: self._progress(hold)))
        self._engine.feed.publish(record)
        self._show(hold)

    def remove(self, call: int, how: str) -> Hold | None:
        """The call waits no more."""
        hold = self._holds.pop(call, None)
        if hold is not None:
            hold.shown = None
            for timer in hold.timers:
                timer.cancel()
            self._engine.rounds.over(call)
            self._engine.records.held -= 1
            self._engine.feed.publish(ReleasedEvent(call, how))
            self._engine.counts.used(hold.live)
        return hold

    def withdraw_all(self, live: Live, why: str) -> None:
        """Nobody waits for this session's held calls any more."""
        for hold in [h for h in self._holds.values() if h.live is live]:
            live.give_up(hold.record, why)

    def decide(self, decision: Decide) -> Done | Refused:
        """A person's answer, if it fits what waits or what waited until lately."""
        if late := self._engine.late.decide(decision):
            return late
        hold = self.as_shown(decision)
        if isinstance(hold, Refused):
            return hold
        if decision.allow and not hold.live.knows(hold.record.call):
            return Refused("the server's tools have changed and are being listed; look again soon")
        if decision.allow and decision.edited:
            return self._run_edit(hold, decision)
        if not decision.allow:
            asked = hold.record.verdict
            verdict = Verdict(
                Action.DENY, Cause.PERSON, asked.rules, decision.reason, policy=asked.policy
            )
            self._refuse(hold, verdict, by=By.PERSON, how="denied by you")
            return Done("denied")
        verdict = self._engine.verdict(hold.live, hold.record.call, approved=True)
        if verdict.action is not Action.ALLOW:
            self._refuse(hold, verdict, by=By.PERSON, how="allowed by you, refused by a rule")
            return Refused(f"not run: {verdict.reason}")
        return self._release(hold, verdict, by=By.PERSON, how="allowed by you")

    def as_shown(self, quoted: Decide | CheckEdit) -> Hold | Refused:
        """The waiting call that a person looks at, if it still is what they were shown."""
        hold = self._holds.get(quoted.call)
        if hold is None:
            return Refused("this call waits no more")
        if quoted.digest != hold.record.call.digest or quoted.revision != hold.revision:
            return Refused("this call, or the rules for it, changed since it was shown; look again")
        return hold

    def _run_edit(self, hold: Hold, decision: Decide) -> Done | Refused:
        """Let a call go with the arguments that the person wrote, if the rules still permit them.

        A rule that denies them leaves the call waiting as the agent sent it.
        """
        edit = hold.edits.get(decision.edited)
        if edit is None or decision.remember is not None:
            return Refused("an edit is looked at before it runs, and allowed once; edit it again")
        edited = edit.of(hold.record.call)
        verdict = self._engine.verdict(hold.live, edited, approved=True)
        if verdict.action is not Action.ALLOW:
            return Refused(f"not run as edited: {verdict.reason}")
        edit.put(hold.record)
        return self._release(hold, verdict, by=By.PERSON, how="edited and allowed by you")

    def reveal(self, command: Reveal) -> Revealed | Refused:
        """The arguments of a waiting call with the secrets in them, for the person who decides."""
        hold = self._holds.get(command.call)
        if hold is None or hold.record.call.digest != command.digest:
            return Refused("this call waits no more, or changed since it was shown")
        return Revealed(hold.record.call.arguments)

    def judge_again(self, live: Live | None = None) -> None:
        """Rules or tools have changed: judge what waits (in one session, or in all) anew."""
        for hold in [h for h in self._holds.values() if live is None or h.live is live]:
            hold.live.weigh(hold.record)
            verdict = self._engine.verdict(hold.live, hold.record.call)
            if verdict.action is Action.ALLOW:
                if hold.live.knows(hold.record.call):  # else it is judged once they are listed
                    how = "allowed by a change of the rules"
                    self._release(hold, verdict, by=By.RULES, how=how)
            elif verdict.action is Action.DENY:
                why = _DENIED_BY.get(verdict.cause, "a change of the rules")
                self._refuse(hold, verdict, by=By.RULES, how=f"denied by {why}")
            else:
                hold.record.verdict = verdict
                self._revisions += 1
                hold.revision = self._revisions
                hold.edits = {}
                self._engine.feed.publish(hold.record)
                self._show(hold)

    def answered(self) -> None:
        """An answer was remembered: carry out what it says on calls that wait. Others wait on."""
        for hold in list(self._holds.values()):
            verdict = self._engine.verdict(hold.live, hold.record.call)
            if verdict.action is Action.ALLOW:
                if hold.live.knows(hold.record.call):
                    self._release(hold, verdict, by=By.PERSON, how="allowed by a remembered answer")
            elif verdict.action is Action.DENY:
                self._refuse(hold, verdict, by=By.PERSON, how="denied by a remembered answer")

    def _show(self, hold: Hold) -> None:
        hold.shown = self.view(hold)
        self._engine.feed.publish(hold)

    def view(self, hold: Hold) -> Held:
        """A waiting call as the app shows it."""
        record, tool = hold.record, hold.live.tool_of(hold.record.call)
        policy, _ = self._engine.rulebook.policy(record.call.directory)
        risk, *more = policy.classes(record.call)
        why = (
            record.verdict.reason,
            wording.QUESTIONS.get(record.call.method)
            or f"risk {risk}" + (f": {tool.why}" if tool else ""),
            *(f"risk {one} as well, by the project's file" for one in more),
            *(tool.traits.why if tool else ()),
        )
        used = any(
            other.call.tool == record.call.tool
            and other.call.server == record.call.server
            and other.call.method == record.call.method
            and other.state is not State.HELD
            for other in self._engine.records
        )
        kind = "use of this tool" if record.call.method == TOOLS_CALL else "request like this"
        first = () if used else (f"first {kind}",)
        beside = hiding.beside(self._engine.mask, hold.beside)
        masked = ("secrets in it are hidden",) if record.shown else ()
        told = (
            *first,
            *masked,
            *beside,
            *flags(record.call, self._engine.resolve, self._engine.mask),
        )
        return hold.held(why, told, two_keys=not TWO_KEYS.isdisjoint((risk, *more)))

    def _release(self, hold: Hold, verdict: Verdict, *, by: By, how: str) -> Done | Refused:
        record = hold.record
        record.verdict = verdict
        if self._engine.reservations is not None:
            record.note = f"{how}; the shared store is asked"
            self.remove(record.call.id, record.note)
            self._engine.reservations.add(hold.live, record, Release(by, how))
            return Done("allowed; it runs if the shared store has room for it")
        if fault := self._engine.release(record, by):
            take_back(record)
            self._refuse(
                hold,
                Verdict(Action.DENY, Cause.FAULT, reason=fault, policy=verdict.policy),
                by=by,
                how="not run: the audit cannot be written",
            )
            return Refused(fault)
        self.remove(record.call.id, how)
        record.note = how
        self._engine.let_go(hold.live, record)
        return Done("allowed")

    def _refuse(self, hold: Hold, verdict: Verdict, *, by: By, how: str) -> None:
        record = hold.record
        record.verdict = verdict
        record.note = how
        self.remove(record.call.id, how)
        self._engine.settle(record, Kind.REFUSED, by=by)
        hold.live.refuse(record, record.request)
        hold.live.flush()

    def _time_is_up(self, hold: Hold) -> None:
        shown, call, asked = hold.shown, hold.record.call, hold.record.verdict
        seconds = self._engine.rounds.waited_s(call.id, hold.deadline_ms - hold.since_ms)
        if state := self._engine.rounds.send_back(hold.live, hold.record, seconds):
            hold.live.send_back(hold.record, state, COMES_BACK)
            said = BETWEEN
        else:
            reason = (
                f"it needs a person's approval, and nobody answered within {span(round(seconds))}"
            )
            verdict = Verdict(
                Action.DENY, Cause.UNATTENDED, asked.rules, reason, policy=asked.policy
            )
            self._refuse(hold, verdict, by=By.TIMER, how="time is up")
            said = SAID
        if shown is not None:
            self._revisions += 1  # a key pressed just before means something else
            late = msgspec.structs.replace(shown, revision=self._revisions, late=True)
            self._engine.late.offer(hold, late, call, said)

    def _progress(self, hold: Hold) -> None:
        if hold.live.progress(hold.record.request, "waiting for a person to answer in mcpwall"):
            later = self._engine.clock.call_later(PROGRESS_S, lambda: self._progress(hold))
            hold.timers[1] = later
