from __future__ import annotations

from typing import Any

import msgspec

from mcpwall.model import Action, Call, Cause, Rule, Verdict
from mcpwall.policy.compile import Policy
from mcpwall.policy.preview import Changes, preview
from tests.policy.build import call, limit, policy, resolve, rule, verdict

Past = list[tuple[Call, Verdict]]

DENY = rule("d", tool="search", action="deny")
ASK = rule("ask", action="ask")
ALL = (1, 2, 3, 4, 5, 6)


def past(*rules: Rule, count: int = 6, every_ms: int = 10_000, **fields: Any) -> Past:
    """Calls numbered from 1, one every ten seconds, with the verdicts of these rules."""
    made = [call(id=i + 1, at_ms=i * every_ms, **fields) for i in range(count)]
    return [(one, verdict(one, *rules)) for one in made]


def changes(calls: Past, in_force: Policy, changed: Policy) -> Changes:
    return preview(calls, in_force, changed, resolve)


def answered(calls: Past, cause: Cause, action: Action) -> Past:
    return [(one, msgspec.structs.replace(old, action=action, cause=cause)) for one, old in calls]


def test_the_same_rules_change_nothing() -> None:
    assert changes(past(DENY), policy(DENY), policy(DENY)) == Changes(6)


def test_each_change_is_listed_under_what_it_would_be() -> None:
    assert changes(past(), policy(), policy(DENY)).denied == ALL
    assert changes(past(), policy(), policy(ASK)).asked == ALL
    assert changes(past(DENY), policy(DENY), policy()).allowed == ALL


def test_what_other_things_than_the_rules_in_force_decided_is_no_change() -> None:
    for cause in (
        Cause.LOCKDOWN,
        Cause.PAUSED,
        Cause.UNLISTED,
        Cause.FAULT,
        Cause.LIMIT,
        Cause.RULE,
    ):
        refused = answered(past(), cause, Action.DENY)
        assert changes(refused, policy(ASK), policy(ASK)) == Changes(6)
        assert changes(refused, policy(), policy()) == Changes(6)


def test_a_limit_counts_on_the_calls_own_times() -> None:
    found = changes(past(), policy(), policy(rule("cap", rate_limit=limit(2, 30))))
    assert found == Changes(6, limited=(3, 6))


def test_a_limit_that_is_raised_frees_the_calls_that_it_stopped() -> None:
    old, new = (policy(rule("cap", rate_limit=limit(n, 30))) for n in (1, 2))
    assert changes(past(), old, new) == Changes(6, allowed=(2, 5))


def test_calls_that_a_person_allowed_count_and_those_denied_do_not() -> None:
    in_force = policy(ASK)
    capped = policy(ASK, rule("cap", rate_limit=limit(2, 3600)))
    asked = past(ASK, count=4)
    allowed = answered(asked, Cause.PERSON, Action.ALLOW)
    assert changes(allowed, in_force, capped).limited == (3, 4)
    for cause in (Cause.PERSON, Cause.UNATTENDED):
        denied = answered(asked, cause, Action.DENY)
        assert changes(denied, in_force, capped) == Changes(4)


def test_a_standing_approval_newly_allows_and_without_it_calls_are_asked() -> None:
    approve = rule("yes", action="approve")
    asked = past(ASK)
    assert changes(asked, policy(ASK), policy(ASK, approve)).allowed == ALL
    assert changes(asked, policy(ASK, approve), policy(ASK)).asked == ALL
