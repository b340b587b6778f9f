"""What a new engine takes from the audit: used-up limits, the newest and the unfinished calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine import naming
from mcpwall.engine.port_calls import State
from mcpwall.engine.records import KEPT, Record
from mcpwall.model import Action, JsonObject
from mcpwall.policy.flow import WITHIN_MAX_S, Flows
from mcpwall.policy.limits import Limits
from mcpwall.policy.seen import Seen
from mcpwall.protocol import methods
from mcpwall.protocol.requests import Request, Sort, Stage
from mcpwall.store.records import PREVIEW, AuditRow, Kind

if TYPE_CHECKING:
    from mcpwall.engine.clock import Clock
    from mcpwall.engine.core import Engine
    from mcpwall.engine.live import Live
    from mcpwall.store.audit import Audit

RECENT: Final = KEPT // 4
LOST_S: Final = 30.0  # how long a new engine waits for answers to the old one's calls
LEFT_HELD: Final = "the wall was restarted while this call waited for a person; it was not run"
LEFT_RESERVING: Final = (
    "the wall was restarted while this call waited for the shared store; it was not run, so call "
    "again"
)
LEFT_RUNNING: Final = (
    "the wall was restarted while this call was under way, and no answer came; it may have run, "
    "so check before you repeat it"
)
_OPEN: Final = (State.HELD, State.RUNNING)


def limits(audit: Audit, clock: Clock, horizon_ns: int) -> Limits:
    """The sliding logs as they stand, for windows up to `horizon_ns`.

    What this boot booked is placed by the steady clock. Of earlier boots only the wall clock is
    known: what seems to lie in the future counts as booked now, so a clock set back never frees
    a quota; a clock set forward while the machine was off cannot be told from time that passed.
    """
    restored = Limits()
    if horizon_ns:
        wall_ms, now_ns = clock.wall_ms(), clock.steady_ns()
        since_ms = wall_ms - horizon_ns // 1_000_000
        for booking in audit.charges(since_ms, now_ns - horizon_ns):
            if clock.boot and booking.boot == clock.boot:
                at_ns = booking.steady_ns
            else:
                at_ns = now_ns - max(0, wall_ms - booking.at_ms) * 1_000_000
            restored.restore(booking.key, booking.amount, at_ns)
    return restored


def flows(audit: Audit, clock: Clock) -> Flows:
    """What agents did, as far as rules on earlier calls look back."""
    restored = Flows()
    wall_ms, now_ns = clock.wall_ms(), clock.steady_ns()
    for one in audit.forwarded(wall_ms - WITHIN_MAX_S * 1_000):
        if clock.boot and one.boot == clock.boot:
            at_ns = one.steady_ns
        else:
            at_ns = now_ns - max(0, wall_ms - one.at_ms) * 1_000_000
        grounds = one.grounds
        kind = (one.server, one.method, one.tool, one.risk, grounds.reach, grounds.reads)
        run = grounds.run or naming.run(0, "", one.client)
        restored.restore(run, kind, one.digest, Seen(one.call, at_ns))
    return restored


def records(engine: Engine) -> list[Record]:
    """Remember the newest calls, and all that are not finished, as the audit has them.

    Returns those that are not finished.
    """
    audit = engine.recorder.intake.audit
    numbers = {row.id: row for row in audit.recent(RECENT)}
    for call in audit.unfinished():
        row = numbers.get(call.id) or audit.get(call.id)
        if row is not None:
            numbers[call.id] = row
    restored = [as_record(row) for _, row in sorted(numbers.items())]
    for record in restored:
        engine.records.restore(record)
    return [record for record in restored if record.state in _OPEN]


def abandon(engine: Engine, records: list[Record]) -> None:
    """Close the calls whose sessions have not come back: their answers can reach nobody."""
    for record in records:
        if record.state in _OPEN and record.call.session not in engine.sessions:
            end = engine.withdraw if record.state is State.HELD else engine.lost
            end(record, "its session ended with an engine before this one")


def left_behind(engine: Engine, session: str) -> list[tuple[Record, Request]]:
    """The calls of a session that an engine before this one did not finish."""
    left = []
    engine.recorder.file()
    for call in engine.recorder.intake.audit.unfinished(session):
        record = engine.records.get(call.id)
        if record is None:
            continue
        stage = Stage.HELD if call.state == State.HELD else Stage.FORWARDED
        sort = methods.sort_of(call.method)
        request = Request(
            call.request_id, call.method, call.tool, stage=stage, call=call.id, sort=sort
        )
        record.request = request
        record.started_ns = _started_ns(engine.clock, record)
        left.append((record, request))
    return left


def _started_ns(clock: Clock, record: Record) -> int:
    """About when a call was forwarded that an engine before this one took up, for its timing."""
    before_us = sum(stage_us or 0 for stage_us in record.stages)
    since_us = (clock.wall_ms() - record.call.at_ms) * 1_000 - before_us
    return clock.steady_ns() - max(0, since_us) * 1_000


def take_over(live: Live, left: list[tuple[Record, Request]]) -> None:
    """Go on with the calls that an engine before this one recorded and did not finish.

    One that waited is refused: nobody knows what its asker saw. A forwarded one gets its real
    answer if that comes in time, else an error that says that it may have run.
    """
    for record, request in left:
        if request.sort is Sort.NOTICE and request.stage is Stage.FORWARDED:
            live.engine.lost(record, "the engine was restarted")
            continue
        live.adopt(record, request)
        live.engine.records.adopted(forwarded=request.stage is Stage.FORWARDED)
        if request.stage is Stage.HELD:
            _refuse(live, record, request, ran=False)
    live.flush()
    if any(request.stage is Stage.FORWARDED for _, request in left):
        live.engine.clock.call_later(LOST_S, lambda: _give_up(live, left))


def _give_up(live: Live, left: list[tuple[Record, Request]]) -> None:
    for record, request in left:
        if live.protocol.has(request):
            _refuse(live, record, request, ran=True)
    live.flush()


def _refuse(live: Live, record: Record, request: Request, *, ran: bool) -> None:
    engine = live.engine
    if ran:
        reason = LEFT_RUNNING
    else:
        reason = LEFT_HELD if record.verdict.action is Action.ASK else LEFT_RESERVING
    record.verdict = engine.fault(reason)
    kind = Kind.LOST if ran else Kind.REFUSED
    engine.settle(record, kind, note="the engine was restarted")
    live.refuse(record, request)
    if ran:
        record.state = State.LOST


def as_record(row: AuditRow) -> Record:
    """A call as the audit has it, in the form in which the engine remembers one."""
    arguments: JsonObject = {}
    if (ran := row.edited or row.arguments) is not None:
        arguments = msgspec.json.decode(ran)
    masked = row.grounds is not None and row.grounds.masked
    text = row.excerpt[:PREVIEW] if ran is None else ran
    json = b"" if masked else text.encode()  # what was hidden is known no more
    record = Record(row.call(arguments), row.verdict, json, State(row.state))
    record.size = row.size
    record.took_us, record.note = row.took_us, row.note
    record.answer_size = row.result_bytes or 0
    record.shown = text.encode() if masked else b""
    record.original = (row.arguments or "").encode() if row.edited else b""
    record.stages = row.judged_us, row.waited_us
    return record
