"""Classes that a person sets: what a tool is then, and which settings are no loosening."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.model import (
    Action,
    Call,
    Cause,
    Defaults,
    Origin,
    Rest,
    Risk,
    Rule,
    SetRisk,
    Tool,
)
from mcpwall.policy.compile import STRICTNESS, Policy, compile_policy
from mcpwall.policy.judge import charged, judge
from mcpwall.policy.loosening import loosened
from mcpwall.policy.recommend import for_tool
from mcpwall.policy.set_risk import Risks, Word, changed, lowered
from mcpwall.policy.written import read_policy, write_policy
from tests.policy.build import call, limit, policy, rule, state
from tests.policy.strategies import any_rules, calls, defaults

FOUND = Tool("git", "push", risk=Risk.WRITE, why='its name says "push"')


def said(risk: Risk, line: int = 3) -> SetRisk:
    return SetRisk(risk, Origin("config.toml", line))


def test_a_tool_has_the_class_that_is_set_and_says_so() -> None:
    tool = Word(risks={"push": said(Risk.DESTRUCTIVE)}).on(FOUND)
    assert (tool.risk, tool.found) == (Risk.DESTRUCTIVE, Risk.WRITE)
    assert tool.why == 'set by you in config.toml:3; the wall found write: its name says "push"'
    assert for_tool(tool).fields["action"] == "ask"
    same = Word(risks={"push": said(Risk.WRITE)}).on(FOUND)
    assert (same.found, same.why) == (Risk.WRITE, "set by you in config.toml:3")


def test_other_tools_stay_as_they_were_found() -> None:
    assert Word(risks={"pus": said(Risk.READ)}).on(FOUND) is FOUND


def test_what_changed_is_told_apart_from_what_moved() -> None:
    old: Risks = {"git": {"a": said(Risk.READ), "b": said(Risk.READ), "c": said(Risk.READ)}}
    new: Risks = {
        "git": {"a": said(Risk.READ, 9), "b": said(Risk.WRITE)},
        "web": {"d": said(Risk.READ)},
    }
    assert changed(old, new) == [("git", "b"), ("git", "c"), ("web", "d")]


classes = st.sampled_from([risk for risk in Risk if risk is not Risk.UNKNOWN])
settings = st.none() | classes
cuts = st.sampled_from(({}, {"files": Rest.DENY}))


@given(any_rules, defaults, cuts, calls(), st.tuples(settings, settings))
def test_what_is_called_no_loosening_lets_nothing_more_through(
    some: list[Rule],
    given_defaults: Defaults,
    cut: dict[str, Rest],
    what: Call,
    edit: tuple[Risk | None, Risk | None],
) -> None:
    """Whatever class the wall finds: here that of the call."""
    rules = compile_policy(some, given_defaults, rest=cut)
    old, new = ({what.server: {what.tool: said(risk)}} if risk else {} for risk in edit)
    if not list(lowered(rules, old, new)):
        before, after = (msgspec.structs.replace(what, risk=r or what.risk) for r in edit)
        first, second = (judge(each, rules, state()) for each in (before, after))
        assert STRICTNESS[second.action] >= STRICTNESS[first.action]


@given(any_rules, defaults, calls(), classes, classes)
def test_a_rise_in_a_plain_config_never_permits_more(
    some: list[Rule], given_defaults: Defaults, what: Call, one: Risk, other: Risk
) -> None:
    """Where rules do not speak of classes, the stricter default is the stricter class."""
    plain = [msgspec.structs.replace(each, risk=()) for each in some]
    rules = compile_policy(plain, given_defaults)
    order = {risk: STRICTNESS[getattr(given_defaults, risk.value)] for risk in (one, other)}
    low, high = sorted((one, other), key=order.__getitem__)
    first, second = (
        judge(msgspec.structs.replace(what, risk=risk), rules, state()) for risk in (low, high)
    )
    assert STRICTNESS[second.action] >= STRICTNESS[first.action]


@pytest.mark.parametrize(
    ("rules", "now"),
    [
        ((rule("d", risk=(Risk.EXECUTE,), action="deny"),), Risk.DESTRUCTIVE),
        ((rule("y", risk=(Risk.FINANCIAL,), action="allow"),), Risk.FINANCIAL),
        ((rule("h", risk=(Risk.EXECUTE, Risk.READ), hide=True),), Risk.FINANCIAL),
    ],
)
def test_rules_that_speak_of_classes_decide_what_loosens(
    rules: tuple[Rule, ...], now: Risk
) -> None:
    old, new = {"git": {"push": said(Risk.EXECUTE)}}, {"git": {"push": said(now)}}
    assert list(lowered(policy(*rules), old, new)) == [
        f"the risk of git.push goes from execute to {now}"
    ]
    assert list(lowered(policy(), old, new)) == []


def test_fewer_keys_in_review_are_a_loosening_though_both_are_asked() -> None:
    old, new = {"git": {"push": said(Risk.EXECUTE)}}, {"git": {"push": said(Risk.WRITE)}}
    asked = policy(**dict.fromkeys(Risk, Action.ASK))
    assert list(lowered(asked, old, new)) == ["the risk of git.push goes from execute to write"]


# --- classes that a project adds ----------------------------------------------------------------


def with_also(*rules: Rule, also: tuple[Risk, ...], **given_defaults: Action) -> Policy:
    return compile_policy(rules, Defaults(**given_defaults), also={"files": {"push": also}})


@pytest.mark.parametrize(
    ("own", "added", "action"),
    [
        (Risk.READ, Risk.DESTRUCTIVE, Action.ASK),
        (Risk.DESTRUCTIVE, Risk.READ, Action.ASK),
        (Risk.FINANCIAL, Risk.EXECUTE, Action.DENY),
        (Risk.READ, Risk.READ, Action.ALLOW),
    ],
)
def test_p06_a_projects_class_is_judged_besides_and_the_stricter_verdict_counts(
    own: Risk, added: Risk, action: Action
) -> None:
    rules = with_also(also=(added,), execute=Action.DENY, financial=Action.ALLOW)
    assert judge(call("push", risk=own), rules, state()).action is action
    assert judge(call("pull", risk=Risk.READ), rules, state()).action is Action.ALLOW
    elsewhere = call("push", risk=Risk.READ, server="web")
    assert judge(elsewhere, rules, state()).action is Action.ALLOW


def test_a_call_of_two_classes_costs_the_limits_of_both_and_a_common_one_once() -> None:
    rules = with_also(
        rule("r", risk=(Risk.READ,), rate_limit=limit(5)),
        rule("w", risk=(Risk.WRITE,), rate_limit=limit(5)),
        rule("all", rate_limit=limit(5)),
        rule("y", action="allow"),
        also=(Risk.WRITE,),
    )
    what = call("push", risk=Risk.READ)
    given_verdict = judge(what, rules, state())
    assert given_verdict.action is Action.ALLOW
    assert sorted(charge.rule for charge in given_verdict.charges) == ["all", "r", "w"]
    told = [(charge.rule, one.rule.rule.id) for charge, one in charged(given_verdict, what, rules)]
    assert sorted(told) == [("all", "all"), ("r", "r"), ("w", "w")]


def test_a_rule_that_hides_by_class_hides_what_a_project_adds_it_to() -> None:
    rules = with_also(rule("h", risk=(Risk.WRITE,), hide=True), also=(Risk.WRITE,))
    given_verdict = judge(call("push", risk=Risk.READ), rules, state())
    assert (given_verdict.cause, given_verdict.rules) == (Cause.HIDDEN, ("h",))


def test_p11_added_classes_are_in_the_hash_and_the_text_of_a_policy() -> None:
    plain, more = with_also(also=()), with_also(also=(Risk.WRITE,))
    assert compile_policy((), Defaults()).hash != more.hash
    again = read_policy(write_policy(more))
    assert again.hash == more.hash
    assert judge(call("push"), again, state()).action is Action.ASK
    assert read_policy(write_policy(plain)).hash == plain.hash


def test_a_class_that_a_project_takes_away_again_loosens() -> None:
    old, new = with_also(also=(Risk.WRITE, Risk.EXECUTE)), with_also(also=(Risk.EXECUTE,))
    assert loosened(old, new) == ("files.push is no longer judged as write as well",)
    assert loosened(new, old) == ()
    assert len(loosened(old, compile_policy((), Defaults()))) == 2
