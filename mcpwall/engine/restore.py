"""What a new engine takes from the audit: used-up limits, and the newest calls for the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine.port import State
from mcpwall.engine.records import KEPT, PREVIEW, Record
from mcpwall.model import Call, JsonObject
from mcpwall.policy.limits import Limits
from mcpwall.store.records import AuditRow

if TYPE_CHECKING:
    from mcpwall.engine.clock import Clock
    from mcpwall.engine.core import Engine
    from mcpwall.store.audit import Audit

RECENT: Final = KEPT // 4
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
    restored = [_record(row) for _, row in sorted(numbers.items())]
    for record in restored:
        engine.records.restore(record)
    return [record for record in restored if record.state in _OPEN]


def abandon(engine: Engine, records: list[Record]) -> None:
    """Close the calls whose sessions have not come back: their answers can reach nobody."""
    for record in records:
        if record.state in _OPEN and record.call.session not in engine.sessions:
            end = engine.withdraw if record.state is State.HELD else engine.lost
            end(record, "its session ended with an engine before this one")


def _record(row: AuditRow) -> Record:
    arguments: JsonObject = {}
    if (ran := row.edited or row.arguments) is not None:
        arguments = msgspec.json.decode(ran)
    call = Call(
        row.id,
        row.at_ms,
        row.session,
        row.agent,
        row.client,
        row.server,
        row.method,
        row.tool,
        arguments,
        row.risk,
        row.digest,
        row.directory,
    )
    text = row.excerpt[:PREVIEW] if ran is None else ran
    return Record(
        call,
        row.verdict,
        text.encode(),
        row.size,
        State(row.state),
        took_us=row.took_us,
        note=row.note,
        answer_size=row.result_bytes or 0,
        original=(row.arguments or "").encode() if row.edited else b"",
    )
