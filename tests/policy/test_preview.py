from __future__ import annotations

from typing import Any

import msgspec

from mcpwall.model import Action, Call, Cause, Risk, Rule, Verdict
from mcpwall.policy.answers import Answers
from mcpwall.policy.compile import Policy
from mcpwall.policy.judge import ToolState
from mcpwall.policy.preview import Changes, preview
from tests.policy.build import call, limit, policy, resolve, rule, verdict

Past = list[tuple[Call, Verdict]]


def past(*rules: Rule, count: int = 6, every_ms: int = 10_000, **fields: Any) -> Past:
    """Calls numbered from 1, one every ten seconds, with the verdicts of these rules."""
    made = [call(id=i + 1, at_ms=i * every_ms, **fields) for i in range(count)]
    return [(one, verdict(one, *rules)) for one in made]


def changes(calls: Past, in_force: Policy, **fields: Any) -> Changes:
    return preview(calls, in_force, resolve, lambda _: ToolState.LISTED, **fields)


def answered(calls: Past, cause: Cause, action: Action, *rules: str) -> Past:
    return [
        (one, msgspec.structs.replace(old, action=action, cause=cause, rules=rules))
        for one, old in calls
    ]


def test_the_same_rules_change_nothing() -> None:
    deny = rule("d", tool="search", action="deny")
    assert changes(past(deny), policy(deny)) == Changes(6)


def test_each_change_is_listed_under_what_it_would_be() -> None:
    calls = past()
    assert changes(calls, policy(rule("d", action="deny"))).denied == (1, 2, 3, 4, 5, 6)
    assert changes(calls, policy(rule("a", action="ask"))).asked == (1, 2, 3, 4, 5, 6)
    denied = past(rule("d", action="deny"))
    assert changes(denied, policy()).allowed == (1, 2, 3, 4, 5, 6)


def test_a_limit_counts_on_the_calls_own_times() -> None:
    found = changes(past(), policy(rule("cap", rate_limit=limit(2, 30))))
    assert found == Changes(6, limited=(3, 6))


def test_calls_that_a_person_allowed_count_and_those_denied_do_not() -> None:
    capped = policy(rule("ask", action="ask"), rule("cap", rate_limit=limit(2, 3600)))
    asked = past(rule("ask", action="ask"), count=4)
    assert changes(answered(asked, Cause.PERSON, Action.ALLOW), capped).limited == (3, 4)
    assert changes(answered(asked, Cause.PERSON, Action.DENY), capped) == Changes(4)
    assert changes(answered(asked, Cause.UNATTENDED, Action.DENY), capped) == Changes(4)


def test_an_ask_that_was_answered_is_no_change_when_it_is_asked_again() -> None:
    ask = rule("ask", action="ask")
    asked = past(ask, count=2)
    remembered = answered(asked, Cause.ANSWER, Action.ALLOW, "s01", "ask")
    assert changes(remembered, policy(ask)) == Changes(2)
    approved = answered(asked, Cause.ANSWER, Action.ALLOW, "yes", "ask")
    assert changes(approved, policy(ask)).asked == (1, 2)


def test_a_standing_approval_and_a_remembered_answer_newly_allow() -> None:
    ask = rule("ask", action="ask")
    asked = answered(past(ask, count=3, risk=Risk.WRITE), Cause.PERSON, Action.ALLOW, "ask")
    approve = rule("yes", action="approve")
    assert changes(asked, policy(ask, approve)).allowed == (1, 2, 3)
    answers, _ = Answers().remember(
        asked[0][0], allow=True, match="tool", scope="15m", now_ns=0, made_ms=0
    )
    assert changes(asked, policy(ask), answers=answers).allowed == (1, 2, 3)
    remembered = answered(asked, Cause.ANSWER, Action.ALLOW, "s01", "ask")
    assert changes(remembered, policy(ask), answers=answers) == Changes(3)


def test_what_became_of_a_tool_since_counts() -> None:
    calls = past(count=2)
    found = preview(calls, policy(), resolve, lambda _: ToolState.HIDDEN)
    assert found.denied == (1, 2)
