from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.model import Action, Call, Defaults, Origin, Rule
from mcpwall.policy.compile import STRICTNESS, compile_policy
from mcpwall.policy.judge import judge
from mcpwall.policy.loosening import loosened
from tests.policy.build import budget, limit, policy, rule, state
from tests.policy.strategies import any_rules, calls, defaults

DENY = rule("d", tool=["delete_*", "!delete_draft"], action="deny", reason="no")
ASK = rule("a", tool="run", when={"command": {"contains": "sudo"}}, action="ask")
ALLOW = rule("y", tool="read_*", action="allow")
CAP = rule("c", server="web", rate_limit=limit(10, 60))
SUM = rule("s", tool="pay", budget=budget("amount", "100", 60))
BASE = (DENY, ASK, ALLOW, CAP, SUM)


def said(new: list[Rule], **changed: str) -> tuple[str, ...]:
    return loosened(policy(*BASE), policy(*new, **changed))


def instead(**fields: Any) -> list[Rule]:
    """The base rules with one replaced: `d=rule` puts a rule where the one with id d was."""
    return [fields.get(one.id, one) for one in BASE if fields.get(one.id, one) is not None]


@pytest.mark.parametrize(
    "new",
    [
        list(BASE),
        list(BASE[::-1]),
        [*BASE, rule("new", tool="x", action="deny")],
        [*BASE, rule("new", tool="x", action="ask")],
        [*BASE, rule("new", rate_limit=limit(1))],
        instead(d=rule("d", tool=["delete_*", "!delete_draft"], action="deny", reason="other")),
        instead(d=rule("d", tool="delete_*", action="deny")),
        instead(d=rule("wider", action="deny")),
        instead(a=rule("a", tool="run", action="ask")),
        instead(a=rule("a", tool="ru*", action="deny")),
        instead(y=None),
        instead(y=rule("y", tool="read_file", action="allow")),
        instead(y=rule("z", tool="read_*", when={"path": {"under": "/src"}}, action="allow")),
        instead(c=rule("c", server="web", rate_limit=limit(9, 60))),
        instead(c=rule("c", server="web", rate_limit=limit(10, 90))),
        instead(c=rule("c", rate_limit=limit(10, 60))),
        instead(c=rule("c", server="web", action="deny")),
        instead(s=rule("s", tool="pay", budget=budget("amount", "99.5", 60))),
    ],
)
def test_tightening_and_reordering_loosen_nothing(new: list[Rule]) -> None:
    assert said(new) == ()


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (instead(d=None), "deny rule d is gone or disabled"),
        (instead(d=rule("d", action="deny", enabled=False)), "deny rule d is gone or disabled"),
        (instead(d=rule("d", tool="delete_x", action="deny")), "deny rule d covers less"),
        (instead(d=rule("d", tool="delete_*", action="ask")), "deny rule d covers less"),
        (instead(a=None), "ask rule a is gone"),
        (instead(a=rule("a", tool="run", when={"x": 1}, action="ask")), "ask rule a covers less"),
        (instead(y=rule("y", tool="*", action="allow")), "allow rule y is new or covers more"),
        (instead(y=rule("y", tool="read_*", action="approve")), "approve rule y is new"),
        ([*BASE, rule("new", tool="x", action="approve")], "approve rule new is new"),
        (instead(c=None), "rate limit c is gone"),
        (instead(c=rule("c", server="web", rate_limit=limit(11, 60))), "rate limit c is wider"),
        (instead(c=rule("c", server="web", rate_limit=limit(10, 59))), "rate limit c is wider"),
        (instead(c=rule("c", server="w?b[!x]", rate_limit=limit(10, 60))), "rate limit c is wider"),
        (instead(c=rule("renamed", server="web", rate_limit=limit(10, 60))), "rate limit c is"),
        (instead(s=rule("s", tool="pay", budget=budget("fee", "100", 60))), "budget s is wider"),
        (instead(s=rule("s", tool="pay", budget=budget("amount", "101", 60))), "budget s is wider"),
    ],
)
def test_what_may_permit_more_is_said(new: list[Rule], sentence: str) -> None:
    found = said(new)
    assert len(found) == 1
    assert found[0].startswith(sentence)


def in_file(one: Rule, file: str) -> Rule:
    return msgspec.structs.replace(one, origin=Origin(file, 1, project=True))


@pytest.mark.parametrize("one", [CAP, SUM, rule("m", action="ask", more_than=limit(1)), DENY, ASK])
def test_a_projects_rule_may_move_to_another_file_unless_it_counts(one: Rule) -> None:
    old, new = policy(in_file(one, "/a")), policy(in_file(one, "/a/b"))
    counts = one not in (DENY, ASK)
    assert bool(loosened(old, new)) is counts
    assert loosened(old, policy(msgspec.structs.replace(old.rules[0], reason="so"))) == ()


def test_weaker_defaults_are_said() -> None:
    assert said(list(BASE), write="allow") == ("the default for write goes from ask to allow",)
    assert said(list(BASE), write="deny", read="ask") == ()
    assert len(said(list(BASE), unattended="ask")) == 1


def test_an_ask_loosens_where_the_default_denies() -> None:
    strict = {"write": "deny"}
    ask = rule("ask", tool="x", action="ask")
    assert loosened(policy(**strict), policy(ask, **strict)) == (
        "ask rule ask asks where the default denies",
    )
    only_reads = rule("ask", tool="x", risk=("read",), action="ask")
    assert loosened(policy(**strict), policy(only_reads, **strict)) == ()


def test_names_that_an_agent_has_two_of_are_compared_with_care() -> None:
    old = policy(rule("d", agent="claude-code", action="deny"))
    new = policy(rule("d", agent=["claude-code", "!claude-code#2"], action="deny"))
    assert len(loosened(old, new)) == 1


@given(any_rules, any_rules, defaults, defaults, calls())
def test_what_is_called_no_loosening_permits_nothing_new(
    one: list[Rule], two: list[Rule], first: Defaults, second: Defaults, what: Call
) -> None:
    old, new = compile_policy(one, first), compile_policy(two, second)
    if not loosened(old, new):
        before, after = judge(what, old, state()), judge(what, new, state())
        assert STRICTNESS[after.action] >= STRICTNESS[before.action]


@given(st.data(), any_rules, defaults, calls())
def test_a_small_change_that_is_called_no_loosening_permits_nothing_new(
    data: st.DataObject, some: list[Rule], given_defaults: Defaults, what: Call
) -> None:
    """Edits of single rules, which are far more often tightenings than whole new files are."""
    edited = data.draw(any_rules)
    kept = [data.draw(st.sampled_from([one, *edited[:2]])) if edited else one for one in some]
    kept = list({one.id: one for one in kept}.values())
    old, new = compile_policy(some, given_defaults), compile_policy(kept, given_defaults)
    if not loosened(old, new):
        before, after = judge(what, old, state()), judge(what, new, state())
        assert STRICTNESS[after.action] >= STRICTNESS[before.action]
        assert before.action is not Action.DENY or after.action is Action.DENY


def test_p13_more_than_can_be_compared_counts_as_loosened() -> None:
    """A project's file that is all patterns would keep the engine busy for minutes."""
    old = [rule(f"a{i}", tool="a*" * 400 + str(i), action="deny") for i in range(30)]
    new = [rule(f"b{i}", tool="a*" * 400 + str(i), action="deny") for i in range(30)]
    assert len(loosened(policy(*old), policy(*new))) == len(old)
    assert not loosened(policy(*old), policy(*old, *new))
