from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from mcpwall.model import Call, Rule
from mcpwall.policy.never import why_never
from tests.policy.build import budget, limit, policy, resolve, rule
from tests.policy.strategies import any_rules, calls


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"action": None}, "it does nothing"),
        ({"rate_limit": limit(3)}, "its rate_limit never counts"),
        ({"budget": budget("a", "1")}, "its budget never counts"),
        ({"tool": ["x", "!x"]}, 'tool: every name is taken out again by "!"'),
        ({"tool": ["delete_*", "!delete_*"]}, "tool: every name"),
        ({"tool": ["delete_a", "delete_b", "!delete_?"]}, "tool: every name"),
        ({"server": ["!*"]}, "server: every name"),
        ({"agent": ["a*b", "!a*"]}, "agent: every name"),
        ({"tool": [""]}, "tool: an empty pattern"),
        ({"method": ["!"]}, "method: an empty pattern"),
        ({"when": {"a": {"in": []}}}, "when.a.in: an empty list"),
        ({"when": {"a": {"glob": []}}}, "when.a.glob: an empty list"),
        ({"when": {"a": {"gt": 5, "lt": 3}}}, "when.a: no value is gt 5 and lt 3 at once"),
        ({"when": {"a": {"gt": 5, "lt": 5}}}, "no value is"),
        ({"when": {"a": {"gte": 5, "lt": 5}}}, "no value is"),
        ({"when": {"a": {"gt": 0.5, "equals": 0.5}}}, "no value is"),
        ({"when": {"a": {"equals": 6, "lte": 5}}}, "no value is"),
        ({"when": {"a": {"equals": "x", "not_equals": "x"}}}, 'equals "x" and not_equals "x"'),
        ({"when": {"a": {"equals": "x", "in": ["y", "z"]}}}, "no value is"),
        ({"when": {"a": {"equals": "x", "not_in": ["x", "z"]}}}, "no value is"),
        ({"when": {"a": {"glob": "x*", "not_glob": "x*"}}}, "no value is"),
        ({"when": {"a": {"exists": False, "equals": "x"}}}, "no value is"),
        ({"when": {"a": {"exists": True, "not_equals": 1}}}, None),
        ({"when": {"a": {"length": {"gt": 3, "lt": 3}}}}, "when.a.length: nothing has"),
        ({"when": {"a": {"length": {"lt": 0}}}}, "when.a.length: nothing has"),
        ({"when": {"a": {"length": -1}}}, "when.a.length: nothing has"),
        ({"when": {"a": {"length": {"gte": 0, "lt": 1}}}}, None),
        ({"when": {"a": {"gte": 5, "lte": 5}}}, None),
        ({"when": {"a": {"gt": 3, "lt": 5}}}, None),
        ({"when": {"a[].n": {"gt": 5, "lt": 3}}}, None),
        ({"when": {"a": {"gt": 5}, "b": {"lt": 3}}}, None),
        ({"tool": ["delete_*", "!delete_draft"]}, None),
        ({"tool": ["!x"]}, None),
        ({"tool": ["[", "!*"]}, None),
        ({}, None),
    ],
)
def test_a_rule_that_can_never_do_anything_says_why(
    fields: dict[str, Any], says: str | None
) -> None:
    reason = why_never(rule("r", **{"action": "deny", **fields}))
    if says is None:
        assert reason is None
    else:
        assert reason is not None
        assert says in reason


def test_a_limit_by_itself_does_something() -> None:
    assert why_never(rule("r", rate_limit=limit(3))) is None
    assert why_never(rule("r", budget=budget("a", "1"))) is None


@given(any_rules, calls())
def test_a_rule_that_surely_matches_a_call_is_never_called_impossible(
    some: list[Rule], what: Call
) -> None:
    found = policy(*some).candidates(what)
    for one in (*found.deny, *found.ask, *found.allow, *found.approve):
        reason = why_never(one.rule)
        if one.surely_matches(what, resolve) and one.rule.action is not None and reason:
            assert "never counts" in reason


def test_p13_patterns_beyond_comparing_are_left_alone() -> None:
    many = ["a*" * 400 + str(i) for i in range(50)]
    assert why_never(rule("r", action="deny", tool=[*many, *(f"!{p}" for p in many)])) is None
