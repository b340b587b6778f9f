"""Rules that hide, and servers that are cut to the tools that a rule names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.model import Action, Call, Cause, Defaults, Rest, Rule
from mcpwall.policy.compile import compile_policy
from mcpwall.policy.judge import judge
from mcpwall.policy.loosening import loosened
from mcpwall.policy.never import why_never
from tests.policy.build import call, limit, policy, rule, state
from tests.policy.strategies import any_rules, calls, defaults

CUT = {"files": Rest.DENY}
READ = call("read", server="files")


def cut_to(*rules: Rule, rest: Any = CUT, project: tuple[Rule, ...] = ()) -> Any:
    everything = Defaults(read=Action.ALLOW, write=Action.ALLOW, unknown=Action.ALLOW)
    return compile_policy(rules, everything, rest=rest, project_rules=project)


@pytest.mark.parametrize(
    ("fields", "opens"),
    [
        ({"tool": "read", "action": "allow"}, True),
        ({"tool": "r*", "action": "ask"}, True),
        ({"tool": "read", "action": "approve"}, True),
        ({"tool": ["!write", "read"], "rate_limit": limit(5)}, True),
        ({"tool": "read", "action": "deny"}, False),
        ({"tool": "read", "hide": True}, False),
        ({"action": "allow"}, False),
        ({"risk": ("read",), "action": "allow"}, False),
        ({"tool": "!write", "action": "allow"}, False),
        ({"tool": "other", "action": "allow"}, False),
        ({"tool": "read", "server": "mail", "action": "allow"}, False),
        ({"tool": "read", "action": "allow", "enabled": False}, False),
    ],
)
def test_what_names_a_tool_opens_it(fields: Any, opens: bool) -> None:
    found = judge(READ, cut_to(rule("r", **fields)), state())
    assert (found.action is not Action.DENY) is opens


def test_p06_a_projects_rule_opens_nothing() -> None:
    asks = rule("asks", tool="read", action="ask")
    assert judge(READ, cut_to(asks), state()).action is Action.ASK
    assert judge(READ, cut_to(project=(asks,)), state()).action is Action.DENY


def test_hide_makes_the_rest_of_a_server_unknown() -> None:
    found = judge(READ, cut_to(rest={"files": Rest.HIDE}), state())
    assert (found.action, found.cause) == (Action.DENY, Cause.HIDDEN)


def test_requests_that_call_no_tool_are_not_cut() -> None:
    prompt = call("read", server="files", method="prompts/get")
    assert judge(prompt, cut_to(), state()).action is Action.ALLOW


@given(any_rules, defaults, calls(), st.sampled_from(Rest))
def test_p04_cutting_a_server_only_denies(
    some: list[Rule], given_defaults: Defaults, what: Call, rest: Rest
) -> None:
    before = judge(what, compile_policy(some, given_defaults), state())
    cut = compile_policy(some, given_defaults, rest={what.server: rest})
    after = judge(what, cut, state())
    assert after.action is Action.DENY or (after.action, after.rules) == (
        before.action,
        before.rules,
    )
    assert cut.hash != compile_policy(some, given_defaults).hash


# --- what loosens -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ([rule("h", tool="x", hide=True)], [], "hide rule h is gone"),
        ([rule("h", tool="x*", hide=True)], [rule("h", tool="x", hide=True)], "hide rule h covers"),
        ([rule("h", tool="x", hide=True)], [rule("d", tool="x", action="deny")], None),
        ([rule("d", tool="x", action="deny")], [rule("h", tool="*", hide=True)], None),
        ([], [rule("h", tool="x", hide=True)], None),
    ],
)
def test_hiding_less_is_loosening(old: list[Rule], new: list[Rule], says: str | None) -> None:
    said = loosened(policy(*old), policy(*new))
    assert (not said) if says is None else says in said[0]


def test_a_cut_that_is_gone_is_loosening() -> None:
    assert loosened(cut_to(), cut_to(rest={})) == (
        "the server files is no longer cut to the tools that a rule names",
    )
    assert loosened(cut_to(rest={}), cut_to()) == ()


def test_naming_a_tool_of_a_server_that_is_cut_is_loosening() -> None:
    asks = rule("asks", tool="read", action="ask")
    (said,) = loosened(cut_to(), cut_to(asks))
    assert said.startswith("rule asks names tools of files")
    assert loosened(cut_to(asks), cut_to(rule("asks", tool="read", server="files", action="ask")))
    assert loosened(cut_to(rest={}), cut_to(asks, rest={})) == ()
    assert loosened(cut_to(), cut_to(rule("m", tool="x", server="mail", action="ask"))) == ()


RESTS = st.sampled_from(({}, {"files": Rest.DENY}, {"files": Rest.HIDE, "mail": Rest.DENY}))


@given(st.tuples(any_rules, RESTS), st.tuples(any_rules, RESTS), defaults, calls())
def test_what_is_called_no_loosening_opens_no_server(
    one: tuple[list[Rule], Any], two: tuple[list[Rule], Any], some: Defaults, what: Call
) -> None:
    old = compile_policy(one[0], some, rest=one[1])
    new = compile_policy(two[0], some, rest=two[1])
    if not loosened(old, new):
        before, after = judge(what, old, state()), judge(what, new, state())
        assert before.action is not Action.DENY or after.action is Action.DENY


# --- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"action": "allow"}, "cannot be called"),
        ({"rate_limit": limit(5)}, "cannot be called"),
        ({"when": {"path": "a"}}, "when tools are listed"),
        ({"method": "prompts/get"}, "when tools are listed"),
        ({"repeat": 3}, "when tools are listed"),
        ({"tool": ["a", "!a"]}, "every name is taken out"),
    ],
)
def test_a_rule_that_hides_does_nothing_else(fields: Any, says: str) -> None:
    reason = why_never(rule("h", hide=True, **fields))
    assert reason is not None
    assert says in reason


def test_a_rule_that_hides_is_no_mistake() -> None:
    assert why_never(rule("h", tool="x", risk=("write",), agent="codex", hide=True)) is None
    assert why_never(rule("h", tool="x", action="deny", hide=True)) is None
