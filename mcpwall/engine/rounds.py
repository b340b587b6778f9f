"""Rounds: how a call of the stateless era waits for a person longer than its agent waits.

Such an agent can be told that more input is required, with nothing but a state to send back; it
then makes the same call again at once, up to ten times. The state is a random token, and all that
it stands for stays here: it fits the very same call of the same client, once, for a while. What
the call had brought for the server from a round of its own (state, answers) is kept with it, and
put back before the call is judged.

Between two rounds no request is open. What a person decides in that moment is a late answer
(`engine.late`), and waits for the call to come back.

MCP 2026-07-28, "Multi Round-Trip Requests".
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.model import TOOLS_CALL, Action, Call, Cause, JsonObject, Verdict
from mcpwall.protocol import asked
from mcpwall.protocol.requests import Sort

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.live import Live
    from mcpwall.engine.records import Record
    from mcpwall.protocol.requests import Request

ROUNDS_MAX: Final = 10  # as clients allow
RETURN_S: Final = 60.0  # how long an agent may take to come back
OPEN_MAX: Final = 1_000
METHODS: Final = frozenset({TOOLS_CALL, "prompts/get", "resources/read"})
STATE: Final = "requestState"
OF_THE_SERVER: Final = (STATE, "inputResponses")
TOKEN: Final = "mcpwall:round:"  # noqa: S105 - how each token starts

COMES_BACK: Final = "its agent was told to make it again"
GONE: Final = "it comes back to a wait that is over or was for another call; make the call anew"


class Round(msgspec.Struct, eq=False):
    """A call that is to come back. `denied`: what a person said meanwhile, None for nothing."""

    call: Call
    number: int  # of the round that is over
    since_ns: int  # when the first one began
    until_ns: int
    kept: JsonObject  # what it had brought of a round of the server's own
    beside: JsonObject  # all that it sends beside its arguments
    denied: str | None = None


class Rounds:
    """The calls that were told to come back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: dict[str, Round] = {}
        self._back: dict[int, Round] = {}  # calls that have come back, while they wait

    def seconds(self, live: Live, record: Record) -> float:
        """How long a call may wait before its agent has to be answered."""
        client = record.call.client
        if not _can_come_back(live, record):
            return self._engine.rulebook.hold_s(client)
        seconds = self._engine.rulebook.wait_s(client)
        before = self._back.get(record.call.id)
        now = self._engine.clock.steady_ns()
        rest = seconds - (now - before.since_ns) / 1e9 if before else seconds
        return max(1.0, min(rest, self._engine.rulebook.round_s(client)))

    def waited_s(self, call: int, last_ms: int) -> float:
        """How long a call has waited, in seconds; `last_ms`: in the round that ends now."""
        before = self._back.get(call)
        if before is None:
            return last_ms / 1000
        return (self._engine.clock.steady_ns() - before.since_ns) / 1e9

    def send_back(self, live: Live, record: Record, waited_s: float) -> str:
        """The state with which a call is told to come back; '' when it has waited long enough."""
        before = self._back.pop(record.call.id, None)
        now = self._engine.clock.steady_ns()
        number = before.number + 1 if before else 1
        self._forget(now)
        if (
            not _can_come_back(live, record)
            or number > ROUNDS_MAX
            or waited_s >= self._engine.rulebook.wait_s(record.call.client)
            or len(self._open) >= OPEN_MAX
        ):
            return ""
        token = TOKEN + secrets.token_urlsafe(32)
        until = now + int(RETURN_S * 1e9)
        params = (record.request.message or {}).get("params", {})
        kept = {key: params[key] for key in OF_THE_SERVER if key in params}
        beside = asked.beside(record.request)
        since = now - int(waited_s * 1e9)
        self._open[token] = Round(record.call, number, since, until, kept, beside)
        return token

    def denied(self, call: int, reason: str) -> bool:
        """A person has said no to a call that is to come back; False when none of it is."""
        for each in self._open.values():
            if each.call.id == call:
                each.denied = reason
                return True
        return False

    def take(self, request: Request) -> Round | str | None:
        """What a request comes back from, '' for a wait that is over; None: it does not.

        What it had brought for the server takes the token's place: that is judged and sent.
        """
        params = (request.message or {}).get("params", {})
        token = params.get(STATE)
        if not (isinstance(token, str) and token.startswith(TOKEN)):
            return None
        self._forget(self._engine.clock.steady_ns())
        found = self._open.pop(token, None)
        del params[STATE]
        if found is not None:
            params.update(found.kept)
        if request.method != TOOLS_CALL:
            request.arguments = asked.all_of(params)
        return found or ""

    def judged(self, back: Round | str, call: Call, request: Request, verdict: Verdict) -> Verdict:
        """The verdict on a call that comes back, given the judge's."""
        same = isinstance(back, Round) and _same(back.call) == _same(call)
        if isinstance(back, str) or not same or back.beside != asked.beside(request):
            return Verdict(Action.DENY, Cause.FAULT, reason=GONE, policy=verdict.policy)
        self._engine.late.came_back(back.call.id, call.id)
        if verdict.action is not Action.ASK:
            return verdict
        if back.denied is not None:
            return Verdict(
                Action.DENY, Cause.PERSON, verdict.rules, back.denied, policy=verdict.policy
            )
        self._back[call.id] = back
        return verdict

    def over(self, call: int) -> None:
        """A call waits no more, however that came."""
        self._back.pop(call, None)

    def _forget(self, now_ns: int) -> None:
        for token in [each for each, kept in self._open.items() if kept.until_ns <= now_ns]:
            del self._open[token]


def _can_come_back(live: Live, record: Record) -> bool:
    request = record.request
    return (
        live.protocol.parties.stateless
        and request.sort is Sort.REQUEST
        and request.method in METHODS
    )


def _same(call: Call) -> tuple[str, ...]:
    return call.digest, call.client, call.server, call.method, call.tool, call.directory
