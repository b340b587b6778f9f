"""How the values of the audit become rows of its tables, and rows values again. No I/O.

A column's place says what it is: columns are added at the end, and never moved (`store.chain`
hashes rows by their columns).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mcpwall.model import Action, Cause, Charge, Risk, Verdict
from mcpwall.store.records import (
    ANSWERED,
    ARGUMENTS_MAX,
    EXCERPT,
    RELEASED,
    AuditRow,
    Forwarded,
    Grounds,
    Intent,
    Kind,
    Step,
    Unfinished,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

VERDICT_COLUMNS = ("action", "cause", "rules", "reason", "retry_s", "policy")
CALL_COLUMNS = (
    *("id", "seq", "at_ms", "steady_ns", "boot", "session", "agent", "client", "server"),
    *("method", "tool", "risk", "directory", "request_id", "size", "digest"),
    *VERDICT_COLUMNS,
    *("state", "charges", "arguments", "excerpt", "grounds"),
)
STEP_COLUMNS = (
    *("seq", "call", "at_ms", "steady_ns", "boot", "kind"),
    *VERDICT_COLUMNS,
    *("charges", "took_us", "is_error", "bytes", "by", "note", "arguments", "digest", "risk"),
)
FIRST_COLUMNS = {b"calls": 26, b"steps": 18}  # of each table, those of its first version

_json = msgspec.json.Encoder().encode
_grounds = msgspec.json.Decoder(Grounds).decode
_rules = msgspec.json.Decoder(tuple[str, ...]).decode
_request_id = msgspec.json.Decoder(str | int).decode
decode_charges = msgspec.json.Decoder(tuple[Charge, ...]).decode


def call_values(intent: Intent, seq: int, boot: str) -> tuple[Any, ...]:
    """The values of CALL_COLUMNS."""
    call, verdict, raw = intent.call, intent.verdict, intent.arguments_json
    whole = len(raw) <= ARGUMENTS_MAX
    booked = verdict.charges and intent.state == "running"
    return (
        call.id,
        seq,
        call.at_ms,
        intent.steady_ns,
        boot,
        call.session,
        call.agent,
        call.client,
        call.server,
        call.method,
        call.tool,
        call.risk._value_,
        call.directory,
        _json(intent.request_id).decode(),
        intent.size or len(raw),
        call.digest,
        *_verdict_values(verdict),
        intent.state,
        _json(verdict.charges).decode() if booked else None,
        raw.decode() if whole else None,
        None if whole else raw[:EXCERPT].decode(errors="ignore"),  # may end within a character
        None if intent.grounds is None else _json(intent.grounds).decode(),
    )


def step_values(step: Step, seq: int, boot: str) -> tuple[Any, ...]:
    """The values of STEP_COLUMNS."""
    verdict = step.verdict
    judged: tuple[Any, ...] = (None,) * 7
    if verdict is not None:
        booked = verdict.charges and step.kind == RELEASED
        charges = _json(verdict.charges).decode() if booked else None
        judged = (*_verdict_values(verdict), charges)
    return (
        seq,
        step.call_id,
        step.at_ms,
        step.steady_ns,
        boot,
        step.kind,
        *judged,
        step.took_us,
        None if step.is_error is None else int(step.is_error),
        step.result_bytes,
        step.by,
        step.note,
        None if step.arguments_json is None else step.arguments_json.decode(),
        step.digest,
        None if step.risk is None else step.risk.value,
    )


def fold(call: tuple[Any, ...], steps: list[tuple[Any, ...]]) -> AuditRow:
    """A call's row and its steps in order, as one. Raises ValueError for what no engine wrote."""
    row = row_of(call)
    for values in steps:
        step = step_of(values)
        row = later(row, step)
        if step.kind in _DECIDES and values[_BOOT] == call[_BOOT]:  # else two clocks
            row = msgspec.structs.replace(row, waited_us=_us(step.steady_ns - call[_STEADY]))
    return row


def arrived(intent: Intent) -> AuditRow:
    """A call on its arrival, as its row in the record would have it."""
    return row_of(call_values(intent, 0, ""))


def later(row: AuditRow, step: Step) -> AuditRow:
    """A call after one more thing happened to it."""
    changes: dict[str, Any] = {"state": _STATES.get(step.kind, step.kind)}
    if step.verdict is not None:
        changes["verdict"] = step.verdict
    if step.kind == ANSWERED:
        changes["state"] = "error" if step.is_error else "done"
        changes["took_us"] = step.took_us
        changes["is_error"] = step.is_error
        changes["result_bytes"] = step.result_bytes
    if step.risk is not None:
        changes["risk"] = step.risk
    if step.by:
        changes["by"] = step.by
    if step.note:
        changes["note"] = step.note
    if step.arguments_json is not None:
        changes["edited"] = step.arguments_json.decode()
        changes["size"] = len(step.arguments_json)
        changes["digest"] = step.digest
    return msgspec.structs.replace(row, **changes)


def row_of(call: tuple[Any, ...]) -> AuditRow:
    """A call on its arrival from CALL_COLUMNS. Raises ValueError for what no engine wrote."""
    (id_, _, at_ms, _, _, session, agent, client, server, method, tool, risk, directory) = call[:13]
    request_id, size, digest, *judged, state, _, arguments, excerpt, grounds = call[13:]
    verdict = _verdict(judged)
    because = None if grounds is None else _grounds(grounds)
    return AuditRow(
        id=id_,
        at_ms=at_ms,
        session=session,
        agent=agent,
        client=client,
        server=server,
        method=method,
        tool=tool,
        risk=Risk(risk),
        directory=directory,
        request_id=_request_id(request_id),
        size=size,
        digest=digest,
        judged=verdict,
        verdict=verdict,
        state=state,
        arguments=arguments,
        excerpt=excerpt or "",
        grounds=because,
        judged_us=_us(call[_STEADY] - because.now_ns) if because else None,
    )


def _us(ns: int) -> int | None:
    """A duration in microseconds; None for what is none."""
    return ns // 1000 if ns >= 0 else None


def step_of(values: tuple[Any, ...]) -> Step:
    """A step from STEP_COLUMNS, without what it booked."""
    _, call, at_ms, steady_ns, _, kind, action = values[:7]
    took_us, is_error, size, by, note, edited, digest, risk = values[13:]
    return Step(
        call,
        kind,
        at_ms,
        steady_ns,
        verdict=None if action is None else _verdict(values[6:12]),
        took_us=took_us,
        is_error=None if is_error is None else bool(is_error),
        result_bytes=size,
        by=by,
        note=note,
        arguments_json=None if edited is None else edited.encode(),
        digest=digest,
        risk=None if risk is None else Risk(risk),
    )


_STATES = {RELEASED.value: "running"}
_DECIDES = frozenset((RELEASED, Kind.REFUSED, Kind.WITHDRAWN))
_STEADY, _BOOT = 3, 4  # in the columns of calls and of steps


def forwarded(values: tuple[Any, ...]) -> Forwarded:
    """From seq, at_ms, steady_ns, boot, and the fields up to `grounds`.

    Of calls that older versions recorded nothing is known but their names.
    """
    _, at_ms, steady_ns, boot, call, digest, server, method, tool, risk, client, grounds = values
    known = Grounds(0) if grounds is None else _grounds(grounds)
    return Forwarded(
        *(call, digest, server, method, tool, Risk(risk), client, known),
        *(at_ms, steady_ns, boot),
    )


def unfinished(values: tuple[Any, ...]) -> Unfinished:
    """From the columns id, state, request_id, … in the order of Unfinished's fields."""
    id_, state, request_id, *rest = values
    return Unfinished(id_, state, _request_id(request_id), *rest)


def _verdict_values(verdict: Verdict) -> tuple[Any, ...]:
    """The columns of a verdict, up to what it costs."""
    return (
        verdict.action._value_,
        verdict.cause._value_,
        _json(verdict.rules).decode(),
        verdict.reason,
        verdict.retry_s,
        verdict.policy,
    )


def _verdict(values: Sequence[Any]) -> Verdict:
    """The verdict in these columns, without what it cost."""
    action, cause, rules, reason, retry_s, policy = values
    return Verdict(Action(action), Cause(cause), _rules(rules), reason, retry_s, (), policy)
