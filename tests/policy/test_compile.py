from __future__ import annotations

import msgspec
import pytest

from mcpwall.model import Action, Condition, Defaults, Origin, Reach, Reads, Risk, Rule
from mcpwall.policy.compile import CACHE_MAX, compile_policy
from mcpwall.policy.compiled import RuleError
from tests.policy.build import budget, call, limit, policy, rule

DAY_NS = 86_400 * 10**9


@pytest.mark.parametrize(
    ("bad", "key", "message"),
    [
        (rule("r", tool="a[", action="deny"), "tool", 'no "]"'),
        (rule("r", server="[]", action="deny"), "server", "names no character"),
        (rule("r", agent="[z-a]x", action="deny"), "agent", "runs backwards"),
        (rule("r", method="[", action="deny"), "method", 'no "]"'),
        (rule("r", when={"p": {"gobl": "x"}}), "when.p.gobl", 'did you mean "glob"'),
        (rule("r", when={"p": {"regex": "(?<a"}}), "when.p.regex", "no regular expression"),
        (rule("r", when={"p": {"gt": "x"}}), "when.p.gt", "needs a number"),
        (rule("r", rate_limit=limit(0)), "rate_limit.max", 'action = "deny"'),
        (rule("r", rate_limit=limit(10**7)), "rate_limit.max", "between 1 and"),
        (rule("r", rate_limit=limit(1, 0)), "rate_limit.window", "more than 0 s"),
        (rule("r", rate_limit=limit(1, float("nan"))), "rate_limit.window", "more than 0 s"),
        (rule("r", rate_limit=limit(1, float("inf"))), "rate_limit.window", "at most 366 days"),
        (rule("r", budget=budget("a", "-1")), "budget.max", "a decimal from 0"),
        (rule("r", budget=budget("a", "NaN")), "budget.max", "a decimal from 0"),
        (rule("r", budget=budget("a..b", "1")), "budget.sum", "a name is missing"),
        (rule("r", budget=budget("any", "1")), "budget.sum", "must name the argument"),
        (rule("r", budget=budget("a", "1", -5)), "budget.window", "more than 0 s"),
        (rule("s01", action="deny"), "id", "remembered answers"),
    ],
)
def test_what_cannot_be_compiled_says_where_and_why(bad: Rule, key: str, message: str) -> None:
    for enabled in (True, False):
        with pytest.raises(RuleError) as caught:
            policy(msgspec.structs.replace(bad, enabled=enabled))
        assert (caught.value.rule_id, caught.value.key) == (bad.id, key)
        assert message in caught.value.message
        assert key in str(caught.value)


def test_a_default_cannot_be_a_standing_approval() -> None:
    with pytest.raises(RuleError, match=r"defaults\.write: must be allow, ask or deny"):
        policy(write="approve")


@pytest.mark.parametrize(
    ("rule_field", "call_field"),
    [
        ({"reads": (Reads.SECRETS,)}, {"reads": (Reads.SECRETS,)}),
        ({"reach": (Reach.NET,)}, {"reach": Reach.NET}),
        ({"risk": (Risk.WRITE,)}, {"risk": Risk.WRITE}),
        ({"agent": "claude-code#2"}, {"agent": "claude-code#2"}),
        ({"agent": "codex"}, {"client": "codex", "agent": "codex#1"}),
        ({"method": "x"}, {"method": "x"}),
        ({"server": "web"}, {"server": "web"}),
    ],
)
def test_what_was_found_for_one_kind_of_call_is_no_other_s(rule_field, call_field) -> None:
    """A tool may have other traits from one call to the next."""
    rules = policy(rule("r", action="deny", **rule_field))
    for _ in range(2):
        assert rules.candidates(call()).deny == ()
        assert len(rules.candidates(call(**call_field)).deny) == 1


def test_an_id_is_one_rules_alone() -> None:
    one = rule("r", tool="a", action="deny", origin=Origin("config.toml", 3))
    moved = msgspec.structs.replace(one, origin=Origin("config.toml", 9))
    assert len(policy(one, moved).rules) == 1
    with pytest.raises(RuleError, match="two different rules"):
        policy(one, rule("r", tool="b", action="deny"))


def test_a_projects_rule_may_have_the_id_of_a_users() -> None:
    users = rule("r", tool="a", action="deny")
    both = compile_policy([users], Defaults(), project_rules=[rule("r", tool="b", action="deny")])
    assert len(both.rules) == 2


def test_the_hash_names_what_is_in_force() -> None:
    one, two = rule("a", tool="x", action="deny"), rule("b", rate_limit=limit(3))
    base = policy(one, two).hash
    assert len(base) == 12
    assert policy(two, one, two).hash == base
    off = rule("c", action="deny", enabled=False)
    assert policy(one, two, off).hash == base
    moved = msgspec.structs.replace(one, origin=Origin("elsewhere.toml", 7))
    assert policy(moved, two).hash == base
    others = [
        policy(one),
        policy(one, rule("b", rate_limit=limit(4))),
        policy(one, two, write="deny"),
        policy(one, two, msgspec.structs.replace(off, enabled=True)),
        compile_policy([one], Defaults(), project_rules=[two]),
    ]
    assert base not in {other.hash for other in others}


def test_a_projects_defaults_count_where_they_are_stricter() -> None:
    users = Defaults(read=Action.DENY, write=Action.ALLOW, hold_s=50)
    project = Defaults(read=Action.ALLOW, write=Action.ASK, execute=Action.DENY, hold_s=1)
    merged = compile_policy([], users, project_defaults=project).defaults
    assert (merged.read, merged.write, merged.execute) == (Action.DENY, Action.ASK, Action.DENY)
    assert merged.hold_s == 50


def test_windows_are_the_widest_of_each_rule_in_force() -> None:
    assert policy().windows == {}
    rules = [
        rule("a", rate_limit=limit(1, 60), budget=budget("x", "1", 86_400)),
        rule("b", rate_limit=limit(1, 864_000), enabled=False),
    ]
    assert policy(*rules).windows == {("a", ""): DAY_NS}
    many = rule("c", more_than=limit(3, 2 * 86_400), action="ask")
    assert policy(*rules, many).windows == {("a", ""): DAY_NS, ("c", ""): 2 * DAY_NS}


def test_p13_candidates_are_found_once_per_kind_of_call() -> None:
    rules = [rule(f"r{i}", tool=f"tool_{i}", action="deny") for i in range(10_000)]
    in_force = policy(*rules)
    what = call("tool_77")
    assert [one.rule.id for one in in_force.candidates(what).deny] == ["r77"]
    again = msgspec.structs.replace(what, id=2, arguments={"x": 1}, session="two")
    assert in_force.candidates(again) is in_force.candidates(what)


@pytest.mark.parametrize("tool", ["x", "*"])
def test_p13_what_is_kept_of_kinds_of_calls_is_bounded(tool: str) -> None:
    rules = [rule(f"r{i}", tool=tool, action="deny") for i in range(1_000)]
    in_force = policy(*rules)
    largest = 0
    for i in range(200):
        in_force.candidates(call("x", agent=f"claude-code#{i}"))
        largest = max(largest, sum(len(found.deny) for found in in_force._cache.values()))
    assert 60_000 < largest <= CACHE_MAX


def test_p13_hostile_patterns_compile_to_bounded_programs_or_not_at_all() -> None:
    hostile = "(((a{1,100}){1,100}){1,100}){1,100}"
    with pytest.raises(RuleError, match="no regular expression"):
        policy(rule("r", when={"x": {"regex": hostile}}, action="deny"))
    slow = policy(rule("r", when={"x": {"regex": "(a|aa)+$"}}, action="deny"))
    stars = policy(rule("r", when={"x": {"glob": "*a" * 400 + "b?"}}, action="deny"))
    what = call(arguments={"x": "a" * 100_000 + "!"})
    for in_force in (slow, stars):
        clause = in_force.candidates(what).deny[0].clauses[0]
        assert not clause.may_hold(what.arguments, "/", lambda path, _: path)


def test_risk_and_conditions_are_part_of_a_rule() -> None:
    one = Rule("r", risk=(Risk.WRITE,), when=(Condition("x", "equals", 1),), action=Action.DENY)
    assert policy(one).candidates(call(risk=Risk.READ)).deny == ()
    assert len(policy(one).candidates(call(risk=Risk.WRITE)).deny) == 1
