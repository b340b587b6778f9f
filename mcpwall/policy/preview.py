"""What a change of the rules would do to the last calls: judged by both, in their order.

Both times limits and what agents did before start empty and count on the calls' own times, no
answer is remembered and every tool is listed, so what differs is the rules' doing alone. A call
that is asked counts as forwarded if it was.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

import msgspec

from mcpwall.model import Action, Call, Cause, Verdict
from mcpwall.policy.answers import Answers
from mcpwall.policy.compile import Policy
from mcpwall.policy.compiled import Compiled
from mcpwall.policy.flow import Flows
from mcpwall.policy.judge import is_about, judge, watched
from mcpwall.policy.limits import Limits
from mcpwall.policy.operators import Resolve
from mcpwall.policy.state import State, ToolState

MS_NS: Final = 1_000_000


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


class _Again:
    """The same calls under one policy."""

    def __init__(self, policy: Policy, resolve: Resolve) -> None:
        self._policy = policy
        self._resolve = resolve
        self._limits = Limits()
        self._flows = Flows()

    def outcome(self, call: Call, *, passed: bool) -> _Outcome:
        """What becomes of the next call, which then was forwarded or not."""
        at_ns = call.at_ms * MS_NS
        state = _state(at_ns, self._limits, self._flows, self._resolve)
        verdict = judge(call, self._policy, state)
        if verdict.action is Action.ALLOW or (verdict.action is Action.ASK and passed):
            self._limits.book(verdict.charges, at_ns)
            self._flows.forwarded(call, at_ns)
        if verdict.action is not Action.DENY:
            return _Outcome.ASKED if verdict.action is Action.ASK else _Outcome.ALLOWED
        limited = verdict.cause in (Cause.LIMIT, Cause.BUDGET)
        return _Outcome.LIMITED if limited else _Outcome.DENIED


def preview(
    calls: Sequence[tuple[Call, Verdict]], in_force: Policy, changed: Policy, resolve: Resolve
) -> Changes:
    """Compare two policies on `calls`, oldest first; the verdicts are those that they got."""
    old, new = _Again(in_force, resolve), _Again(changed, resolve)
    found: dict[_Outcome, list[int]] = {outcome: [] for outcome in _Outcome}
    for call, verdict in calls:
        passed = verdict.action is Action.ALLOW
        before, after = old.outcome(call, passed=passed), new.outcome(call, passed=passed)
        if after is not before:
            found[after].append(call.id)
    return Changes(len(calls), **{name.value: tuple(ids) for name, ids in found.items()})


def matched(
    calls: Sequence[tuple[Call, Verdict]], rules: Sequence[Compiled], resolve: Resolve
) -> tuple[int, ...]:
    """Ids of the calls, oldest first, that one of some rules is about; limits left aside."""
    limits, flows = Limits(), Flows()
    found: list[int] = []
    for call, verdict in calls:
        at_ns = call.at_ms * MS_NS
        state = _state(at_ns, limits, flows, resolve)
        concerned = [one for one in rules if one.concerns(call)]
        if any(is_about(one, call, state, resolve) for one in concerned):
            found.append(call.id)
        if verdict.action is Action.ALLOW:
            limits.book(watched(concerned, call, state, resolve), at_ns)
            flows.forwarded(call, at_ns)
    return tuple(found)


def _state(at_ns: int, limits: Limits, flows: Flows, resolve: Resolve) -> State:
    return State(at_ns, limits, flows, Answers(), False, ToolState.LISTED, False, resolve)
