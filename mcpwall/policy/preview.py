"""What other rules would have made of the last calls, judged again in their order.

Limits start empty and count on the calls' own times, so a preview shows what a new limit would have
stopped. A call that is asked again counts as answered the way it was answered then.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence

import msgspec

from mcpwall.model import Action, Call, Cause, Verdict
from mcpwall.policy.answers import Answers, is_answer_id
from mcpwall.policy.compile import Policy
from mcpwall.policy.judge import State, ToolState, judge
from mcpwall.policy.limits import Limits
from mcpwall.policy.operators import Resolve

MS_NS = 1_000_000


class Changes(msgspec.Struct, frozen=True):
    """Ids of calls whose verdict would differ, by what it would be; `checked` is how many calls."""

    checked: int
    denied: tuple[int, ...] = ()
    limited: tuple[int, ...] = ()
    asked: tuple[int, ...] = ()
    allowed: tuple[int, ...] = ()


class _Outcome(enum.StrEnum):
    DENIED = "denied"
    LIMITED = "limited"
    ASKED = "asked"
    ALLOWED = "allowed"


_ASKED_A_PERSON = (Cause.PERSON, Cause.UNATTENDED)
_LIMITS = (Cause.LIMIT, Cause.BUDGET)


def preview(
    calls: Sequence[tuple[Call, Verdict]],
    policy: Policy,
    resolve: Resolve,
    tool_state: Callable[[Call], ToolState],
    answers: Answers | None = None,
) -> Changes:
    """Judge `calls`, oldest first, by `policy`; the verdicts are those that they got.

    `answers` are remembered answers to count with, whatever their time.
    """
    limits = Limits()
    remembered = (answers or Answers()).timeless()
    changed: dict[_Outcome, list[int]] = {outcome: [] for outcome in _Outcome}
    for call, verdict in calls:
        at_ns = call.at_ms * MS_NS
        state = State(at_ns, limits, remembered, False, tool_state(call), False, resolve)
        again = judge(call, policy, state)
        passed = verdict.action is Action.ALLOW
        if again.action is Action.ALLOW or (again.action is Action.ASK and passed):
            limits.book(again.charges, at_ns)
        after = _outcome(again)
        if after not in _outcomes_then(verdict):
            changed[after].append(call.id)
    return Changes(len(calls), **{name.value: tuple(ids) for name, ids in changed.items()})


def _outcome(verdict: Verdict) -> _Outcome:
    if verdict.action is Action.ASK:
        return _Outcome.ASKED
    if verdict.action is Action.ALLOW:
        return _Outcome.ALLOWED
    return _Outcome.LIMITED if verdict.cause in _LIMITS else _Outcome.DENIED


def _outcomes_then(verdict: Verdict) -> tuple[_Outcome, ...]:
    """What counts as no change: an ask that somebody answered was an ask."""
    if verdict.cause in _ASKED_A_PERSON:
        return (_Outcome.ASKED,)
    if verdict.cause is Cause.ANSWER and is_answer_id(next(iter(verdict.rules), "")):
        return (_Outcome.ASKED, _outcome(verdict))  # the answer may be forgotten by now
    return (_outcome(verdict),)
