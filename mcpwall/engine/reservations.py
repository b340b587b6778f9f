"""Calls that wait for the store that this wall shares with others: reserved there, then forwarded.

Without such a store nothing of this is in use. With one, a call that this wall allows waits here
until the store has said that it fits the team's limits, and has entered it in the shared record.
Then it is judged once more, because rules and tools may have changed meanwhile, and goes. A
reservation that is not used is given back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine.editing import take_back
from mcpwall.engine.port import ReleasedEvent
from mcpwall.engine.port_calls import State
from mcpwall.model import Action, Cause, Per, Verdict
from mcpwall.policy.judge import charged, limited
from mcpwall.store.records import By, Kind
from mcpwall.store.shared import entries
from mcpwall.store.shared.ledger import Bound, Reservation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpwall.engine.core import Engine
    from mcpwall.engine.live import Live
    from mcpwall.engine.records import Record
    from mcpwall.policy.compile import Counted, Policy
    from mcpwall.store.records import Intent, Step
    from mcpwall.store.shared.ledger import Answer, Ledger

US_NS: Final = 1_000
CHANGED: Final = (
    "rules, tools or earlier calls changed while this call waited for the shared store; it was not "
    "run, so call again"
)
_TEAMS: Final = (Per.TOOL, Per.SERVER)


class Release(msgspec.Struct, frozen=True):
    """Who let a held call go, as the record says it, and how, as a screen does."""

    by: By
    how: str


class Waiting(msgspec.Struct, eq=False):
    """One call that waits. `release` is how it was let go if it was held, None if it was not."""

    live: Live
    record: Record
    policy: Policy
    limits: list[Counted]  # behind the bounds of the reservation, in their order
    reservation: Reservation
    release: Release | None
    arrival: bytes  # the entry of the call itself, '' if the shared record has it
    steps: list[bytes]  # what happened to it while it waited


class Reservations:
    """All calls that wait for the shared store, by number."""

    def __init__(self, engine: Engine, ledger: Ledger) -> None:
        self._engine = engine
        self._waiting: dict[int, Waiting] = {}
        self.ledger = ledger
        ledger.on_change = self._changed
        engine.recorder.share = self.share

    def add(self, live: Live, record: Record, release: Release | None = None) -> None:
        """Ask the store for an allowed call that is on record; `release` if it was held before."""
        call, engine = record.call, self._engine
        policy, _ = engine.rulebook.policy(call.directory)
        charges = charged(record.verdict, call, policy)
        wall = self.ledger.wall
        if release is not None:
            arrival = b""
            entry = entries.of_step(wall, record.step(Kind.RELEASED, engine.clock, by=release.by))
        else:
            intent = record.intent(engine.clock.steady_ns())
            arrival = entries.of_call(wall, intent)
            running = msgspec.structs.replace(intent, state=State.RUNNING)
            entry = entries.of_call(wall, running)
        bounds = tuple(
            Bound(
                self._key(charge.key, one),
                charge.amount,
                str(one.limit.maximum),
                -(-one.limit.window_ns // US_NS),
            )
            for charge, one in charges
        )
        reservation = Reservation(f"{wall.id}.{call.id}", bounds, entry)
        limits = [one for _, one in charges]
        waiting = Waiting(live, record, policy, limits, reservation, release, arrival, [])
        self._waiting[call.id] = waiting
        record.state = State.RESERVING
        engine.feed.publish(record)
        self.ledger.reserve(reservation, lambda answer: self._answered(waiting, answer))

    def share(self, intents: Sequence[Intent], steps: Sequence[Step]) -> None:
        """Enter in the shared record what this wall has recorded, unless a reservation does."""
        wall = self.ledger.wall
        told = [
            entries.of_call(wall, intent)
            for intent in intents
            if intent.state == State.REFUSED or intent.verdict.action is Action.ASK
        ]
        for step in steps:
            if step.kind == Kind.RELEASED:
                continue
            entry = entries.of_step(wall, step)
            waiting = self._waiting.get(step.call_id)
            (told if waiting is None else waiting.steps).append(entry)
        if told:
            self.ledger.note(told)

    def _key(self, key: str, one: Counted) -> str:
        """The log that a limit counts in: the team's, or one of this wall alone.

        Names of agents and sessions mean nothing on another machine, and nor does the place of a
        project's file.
        """
        if one.limit.source.per in _TEAMS and not one.rule.project:
            return f"team {key}"
        return f"wall {self.ledger.wall.id} {key}"

    def _answered(self, waiting: Waiting, answer: Answer) -> None:
        record = waiting.record
        if record.state is State.RESERVING:  # else it was withdrawn meanwhile
            self._carry_out(waiting, self._verdict(waiting, answer))
        if answer.granted and record.state is not State.RUNNING:
            self.ledger.give_back(waiting.reservation)
        del self._waiting[record.call.id]
        arrival = [] if answer.granted or not waiting.arrival else [waiting.arrival]
        if told := [*arrival, *waiting.steps]:
            self.ledger.note(told)
        waiting.live.judged()

    def _carry_out(self, waiting: Waiting, verdict: Verdict) -> None:
        """Let the call go and say so on record first, or refuse it."""
        record, live, engine = waiting.record, waiting.live, self._engine
        release = waiting.release or Release(By.STORE, "")
        if verdict.action is Action.ALLOW:
            record.verdict = verdict
            fault = engine.release(record, release.by)
            if not fault:
                self._came_out(record, release.how)
                engine.let_go(live, record)
                return
            verdict = engine.fault(fault)
        take_back(record)
        record.verdict = verdict
        self._came_out(record, f"{release.how}, then refused" if release.how else "")
        engine.counts.hit(record)
        engine.settle(record, Kind.REFUSED, by=By.STORE)
        live.refuse(record, record.request)
        live.flush()

    def _came_out(self, record: Record, how: str) -> None:
        """Say what became of a call that was held, now that it is known."""
        if how:
            record.note = how
            self._engine.feed.publish(ReleasedEvent(record.call.id, how))

    def _verdict(self, waiting: Waiting, answer: Answer) -> Verdict:
        """What the store's answer means, and whether this wall still allows the call."""
        if answer.fault:
            return self._engine.fault(answer.fault)
        pairs = zip(answer.waits_us, waiting.limits, strict=True)
        if full := [(wait * US_NS, one) for wait, one in pairs if wait]:
            return limited(full, waiting.policy)
        live, record = waiting.live, waiting.record
        live.weigh(record)
        approved = record.verdict.cause is Cause.PERSON
        verdict = self._engine.verdict(live, record.call, approved=approved)
        if verdict.action is Action.DENY:
            return verdict
        unchanged = verdict == record.verdict and live.knows(record.call)
        return verdict if unchanged else self._engine.fault(CHANGED)

    def _changed(self) -> None:
        """The store can no longer be asked, or can be asked again: tell the apps."""
        name, fault = self.ledger.name, self.ledger.fault
        if fault:
            self._engine.notice("error", f"{fault}; calls are denied until it answers")
        else:
            self._engine.notice("info", f"the shared store {name} answers again")
        self._engine.store_changed()
