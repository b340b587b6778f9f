"""The engine as an app sees it: snapshots and the rows that change. Reads, never changes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall import __version__
from mcpwall.engine import hiding, restore, tool_views
from mcpwall.engine.port import Snapshot, Status
from mcpwall.engine.port_calls import CallDetails, Rows, State
from mcpwall.engine.port_rules import RuleRow
from mcpwall.engine.port_sessions import SessionRow
from mcpwall.model import Action, Condition, JsonObject, Rule
from mcpwall.policy.answers import Answer
from mcpwall.protocol.codec import NOT_READ

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.live import Live
    from mcpwall.engine.records import Record

PIECE: Final = 200  # calls that are told at a time: while they are, no other call goes on


def status(engine: Engine) -> Status:
    """The engine itself."""
    book = engine.rulebook
    ledger = engine.reservations.ledger if engine.reservations else None
    return Status(
        os.getpid(),
        __version__,
        engine.started_ms,
        os.path.dirname(book.path),  # noqa: PTH120 - a text, as it came
        book.path,
        book.hash,
        engine.lockdown.on,
        book.error,
        book.outside_edit,
        book.undo_steps,
        book.redo_steps,
        engine.http,
        ledger.name if ledger else "",
        ledger.fault if ledger else "",
        book.mistakes,
        book.config.defaults,
    )


def rules(engine: Engine) -> tuple[RuleRow, ...]:
    """Every rule in force: the file's, projects', and remembered answers."""
    rows = []
    for rule, fields in engine.rulebook.rules():
        count, last = engine.counts.hits(rule.id)
        rows.append(RuleRow(rule, fields, count, last or None))
    now_ns, now_ms = engine.clock.steady_ns(), engine.clock.wall_ms()
    for answer in engine.answers.list():
        count, last = engine.counts.hits(answer.id)
        expires = None
        if answer.expires_ns is not None:
            expires = now_ms + (answer.expires_ns - now_ns) // 1_000_000
        rows.append(
            RuleRow(
                as_rule(answer),
                {},
                count,
                last or None,
                expires,
                answer.session,
                remembered=True,
            )
        )
    return tuple(rows)


def as_rule(answer: Answer) -> Rule:
    """A remembered answer, shown as the rule that it amounts to."""
    when: tuple[Condition, ...] = ()
    if answer.match == "exact":
        when = (Condition("", "digest", answer.digest),)
    elif answer.match == "argument":
        when = (Condition(answer.argument, "glob", answer.pattern),)
    return Rule(
        answer.id,
        server=(answer.server,),
        tool=(answer.tool,) if answer.tool else (),
        agent=(answer.client,) if answer.client else (),
        method=(answer.method,),
        when=when,
        action=Action.APPROVE if answer.allow else Action.DENY,
        reason=answer.reason,
    )


def snapshot(engine: Engine) -> Snapshot:
    """Everything at this moment."""
    newest = older(engine, engine.last_call + 1)
    return Snapshot(
        engine.feed.seq,
        status(engine),
        newest.rows,
        (*(hold.shown for hold in engine.holds if hold.shown is not None), *engine.late.shown()),
        rules(engine),
        tuple(session_row(live) for live in engine.sessions.values()),
        tuple(
            tool_views.server_row(engine, server) for server in engine.inventory.servers.values()
        ),
        engine.records.totals(),
        engine.feed.first,
        newest.left,
    )


def older(engine: Engine, before: int) -> Rows:
    """The newest calls before number `before`, of those that are remembered."""
    records, left = engine.records.older(before, PIECE)
    return Rows(tuple(record.row() for record in records), left)


def details(engine: Engine, call: int) -> CallDetails | None:
    """All that is known of one call, from memory or from the audit."""
    record = engine.records.get(call)
    if record is None:
        engine.recorder.file()
        row = engine.recorder.intake.audit.get(call)
        if row is None:
            return None
        record = restore.as_record(row)
    live = engine.sessions.get(record.call.session)
    return CallDetails(
        record.row(),
        _arguments(record),
        record.visible.decode("utf-8", "replace"),
        engine.mask.text(_answer(record.answer)),
        record.answer_size,
        record.answer_size - len(record.answer),
        live.tool_of(record.call) if live else None,
        _original(engine, record),
        record.timing(),
    )


def _arguments(record: Record) -> JsonObject | None:
    """The arguments, secrets hidden, if they are known to their end."""
    try:
        if record.shown or record.whole or record.state is State.HELD:
            return hiding.arguments(record)
    except msgspec.DecodeError:  # their start alone was kept
        pass
    return None


def _original(engine: Engine, record: Record) -> JsonObject | None:
    """What the agent had sent, where a person edited the arguments; secrets hidden."""
    if not record.original:
        return None
    sent = msgspec.json.decode(record.original)
    return engine.mask.arguments(sent, record.original)[0]


def _answer(line: bytes) -> str:
    """What the agent got, without its envelope: texts as they are, other content as JSON.

    An answer of which only the start is known stays as it came.
    """
    try:
        told = msgspec.json.decode(line)
    except NOT_READ:
        return line.decode("utf-8", "replace")
    if not isinstance(told, dict):
        return line.decode("utf-8", "replace")
    result = told.get("result", told.get("error"))
    if not isinstance(result, dict) or not isinstance(parts := result.get("content"), list):
        return msgspec.json.encode(result).decode()
    texts = [
        part["text"]
        if isinstance(part, dict) and isinstance(part.get("text"), str)
        else msgspec.json.encode(part).decode()
        for part in parts
    ]
    return "\n".join(["isError"] * bool(result.get("isError")) + texts)


def session_row(live: Live) -> SessionRow:
    """A session as it stands."""
    told = live.protocol.parties
    there, here = live.hello.transport, live.hello.agent_transport
    transport = there if here == there else f"{here} to {there}"
    return SessionRow(
        live.id,
        live.agent,
        told.client,
        told.client_version,
        told.version,
        live.server.name,
        transport,
        live.hello.server_pid,
        live.hello.directory,
        live.since_ms,
        live.calls,
        len(live.held_sizes),
        live.ended,
        live.paused,
    )
