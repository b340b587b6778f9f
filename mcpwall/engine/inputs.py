"""What a result asks of the agent before its call can go on: judged, each question as a call.

Servers of the stateless era do not send requests; they ask inside a result, and the client sends
the call again with the answers (MCP 2026-07-28, "Multi Round-Trip Requests"). The same rules hold
as for a server's own requests, but nothing can wait in the middle of a result: what a person would
have to be asked about is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine import wording
from mcpwall.engine.port import State
from mcpwall.model import Action, Cause

if TYPE_CHECKING:
    from mcpwall.engine.live import Live
    from mcpwall.engine.records import Record
    from mcpwall.protocol.commands import Inputs, Request

UNASKED: Final = (
    "a rule asks a person about this, and a question inside a result cannot wait; allow or deny it "
    "by a rule"
)


def answer(live: Live, command: Inputs) -> bytes:
    """The line for the agent: the result as it came, or a refusal of what it asks."""
    engine = live.engine
    records = [_judged(live, question) for question in command.questions]
    engine.record(records)
    engine.noted(live, records)
    refused = [record for record in records if record.state is State.REFUSED]
    passed = [record for record in records if record.state is not State.REFUSED]
    for record in passed:
        record.over(State.DONE)  # the agent's answer comes with the call that follows
    engine.answered([(record, 0) for record in passed])
    for record in refused:
        engine.refused(record)
    if not refused:
        return command.line
    verdict, number = refused[0].verdict, refused[0].call.id
    text = f"the server asked for {refused[0].call.method}: {wording.refusal(verdict)}"
    return live.protocol.refused(command.request, text, wording.data(verdict, number))


def _judged(live: Live, question: Request) -> Record:
    record = live.engine.judge(live, question)
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
    return record
