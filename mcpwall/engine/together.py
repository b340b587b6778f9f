"""Requests that come in one message, and go or stay together: each is judged as a call.

A server of the stateless era asks the agent inside a result, which the client answers by sending
its call again ("Multi Round-Trip Requests"), or inside what it tells of a task; before that, inside
an error that names URLs to open. A client subscribes to any number of resources by one
`subscriptions/listen`. Nothing can wait within such a message: what a person would have to be asked
about is refused, and with it what came beside it.

Sources: MCP 2026-07-28 and its tasks extension; MCP 2025-11-25, "Elicitation".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine import wording
from mcpwall.engine.port_calls import State
from mcpwall.model import Action, Cause
from mcpwall.protocol.commands import Answered

if TYPE_CHECKING:
    from mcpwall.engine.live import Live
    from mcpwall.engine.records import Record
    from mcpwall.protocol.commands import Inputs, Subscribes
    from mcpwall.protocol.requests import Request

UNASKED: Final = (
    "a rule asks a person about this, and what comes together with more in one message cannot "
    "wait; allow or deny it by a rule"
)


def answer(live: Live, command: Inputs) -> Answered:
    """What the agent gets: the line as it came, or a refusal of what it asks, b'' of a notice."""
    request, line = command.request, command.line
    refused = _refused(live, command.questions)
    if refused is None:
        return Answered(request, command.is_error, line)
    line = _refusal(live, request, refused, "the server asked for ")
    return Answered(request, is_error=True, line=line)


def subscribe(live: Live, command: Subscribes) -> bytes:
    """The refusal of a subscription for its agent; b'' where it may go to the server."""
    refused = _refused(live, command.things)
    return b"" if refused is None else _refusal(live, command.request, refused, "")


def _refusal(live: Live, request: Request, refused: Record, what: str) -> bytes:
    verdict, call = refused.verdict, refused.call
    subject = f"{call.method} {call.tool}".strip()
    text = f"{what}{subject}: {wording.refusal(verdict)}"
    return live.protocol.refused(request, text, wording.data(verdict, call.id))


def _refused(live: Live, requests: list[Request]) -> Record | None:
    """Judge and record all of these; the first that is refused, None where all may go."""
    engine = live.engine
    records = [_judged(live, request) for request in requests]
    first = _first(records)
    if first is not None:
        for record in reversed(records):
            if record.state is State.RUNNING:
                engine.unbook(record)
                record.verdict = engine.fault(_beside(first))
                record.state = State.REFUSED
    engine.record(records)
    engine.noted(live, records)
    refused = first or _first(records)  # what cannot be recorded is refused as well
    for record in records:
        if record.state is State.REFUSED:
            engine.refused(record)
        else:
            record.over(State.DONE)  # nobody answers it by itself
    engine.answered([record for record in records if record.state is State.DONE])
    return refused


def _first(records: list[Record]) -> Record | None:
    return next((record for record in records if record.state is State.REFUSED), None)


def _beside(refused: Record) -> str:
    """Why something stays that came together with what is refused."""
    what = f"{refused.call.method} {refused.subject or refused.call.tool}".rstrip()
    return f"it came together with {what}, which is refused"


def _judged(live: Live, request: Request) -> Record:
    record = live.engine.judge(live, request)
    if record.state is State.HELD or (record.state is State.RESERVING and record.verdict.charges):
        record.verdict = msgspec.structs.replace(
            record.verdict,
            action=Action.DENY,
            cause=Cause.UNATTENDED,
            reason=UNASKED,
            charges=(),
        )
        record.state = State.REFUSED
    elif record.state is State.RESERVING:  # it costs no limit that walls share
        record.state = State.RUNNING
        live.engine.book(record, live.engine.clock.steady_ns())
    return record
