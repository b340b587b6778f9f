"""What a row says of a tool agrees with the judge, wherever no argument decides."""

from __future__ import annotations

import pytest
from hypothesis import given

from mcpwall.model import Action, Call, Defaults, Rest, Risk, Rule, Tool, Traits
from mcpwall.policy.compile import compile_policy
from mcpwall.policy.judge import judge
from mcpwall.policy.outlook import outlook
from tests.policy.build import policy, rule, state
from tests.policy.strategies import any_rules, calls, defaults

TOOL = Tool("files", "read", risk=Risk.READ)


@given(any_rules, defaults, calls())
def test_a_row_says_what_the_judge_does(some: list[Rule], given: Defaults, what: Call) -> None:
    plain = [one for one in some if not (one.when or one.agent or one.budget or one.looks_back())]
    in_force = compile_policy(plain, given)
    tool = Tool(
        what.server, what.tool, risk=what.risk, traits=Traits(reach=what.reach, reads=what.reads)
    )
    if what.method == "tools/call":
        told, found = outlook(in_force, tool), judge(what, in_force, state())
        assert told.action is found.action
        assert set(told.rules) == set(found.rules)


@pytest.mark.parametrize(
    ("rules", "rest", "says", "hidden"),
    [
        ([rule("h", tool="read", hide=True)], {}, "hidden by h", True),
        ([rule("h", tool="read", agent="codex", hide=True)], {}, "allow by the default", True),
        ([], {"files": Rest.DENY}, "only tools that a rule names", False),
        ([], {"files": Rest.HIDE}, "only tools that a rule names", True),
        ([rule("a", tool="read", action="allow")], {"files": Rest.HIDE}, "allowed by a", False),
        ([], {"mail": Rest.HIDE}, "allow by the default for read tools", False),
    ],
)
def test_a_row_says_what_is_hidden(
    rules: list[Rule], rest: dict[str, Rest], says: str, hidden: bool
) -> None:
    told = outlook(compile_policy(rules, Defaults(), rest=rest), TOOL)
    assert says in told.text
    assert told.hidden is hidden


def test_a_row_names_what_else_may_decide() -> None:
    rules = [
        rule("a", tool="read", action="allow"),
        rule("w", tool="read", when={"path": "x"}, action="deny"),
        rule("l", tool="read", repeat=3, action="ask"),
        *(rule(f"g{number}", agent="codex", action="ask") for number in range(5)),
    ]
    told = outlook(policy(*rules), TOOL)
    assert told.action is Action.ALLOW
    assert told.text == (
        "allowed by a; arguments, agents or earlier calls decide for g0, g1, g2, g3, g4 and 2 more"
    )
