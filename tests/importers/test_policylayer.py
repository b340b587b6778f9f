"""PolicyLayer's keys one by one, and every form that is refused."""

import re

import pytest

from mcpwall.importers.outcome import PolicyError
from mcpwall.model import Action, Cause, Risk
from tests.importers.build import imported, in_force, policy
from tests.policy.build import Desk, call


def desk(tools, **fields):
    return Desk(in_force(imported(policy(tools, **fields))))


def points(tools, **fields):
    return "\n".join(imported(policy(tools, **fields)).points)


def test_what_is_listed_is_not_asked_by_a_class_default():
    judged = desk({"wipe": {}})
    for risk in Risk:
        assert judged.ask(call("wipe", risk=risk)).action is Action.ALLOW
        assert judged.ask(call("other", risk=risk)).action is Action.DENY


def test_default_allow_is_about_the_named_server_alone():
    judged = desk({"pay": {"action": "require_approval"}}, default="allow")
    assert judged.ask(call("wipe", risk=Risk.DESTRUCTIVE)).action is Action.ALLOW
    assert judged.ask(call("pay", risk=Risk.READ)).action is Action.ASK
    elsewhere = judged.ask(call("wipe", risk=Risk.DESTRUCTIVE, server="other"))
    assert (elsewhere.action, elsewhere.cause) == (Action.ASK, Cause.DEFAULT)


def test_no_server_means_every_server_and_is_said():
    found = imported(policy({"look": {}}), server="")
    assert "tools of every server" in found.points[-1]
    judged = Desk(in_force(found))
    assert judged.ask(call("other", server="any")).action is Action.DENY


def test_default_allow_for_every_server_is_refused():
    with pytest.raises(PolicyError, match="--server NAME"):
        imported(policy(default="allow"), server="")


def test_names_are_exact_whatever_signs_they_have():
    judged = desk({"get_*": {}, "!x": {}})
    assert judged.ask(call("get_*")).action is Action.ALLOW
    assert judged.ask(call("!x")).action is Action.ALLOW
    assert judged.ask(call("get_a")).action is Action.DENY
    assert "not as a pattern" in points({"get_*": {}})
    named = imported(policy({"look": {}}), server="a*")
    verdict = Desk(in_force(named)).ask(call("wipe", server="ab", risk=Risk.READ))
    assert verdict.cause is Cause.DEFAULT


def hidden(verdict):
    """Whether a call is refused because no agent sees that tool."""
    return (verdict.action, verdict.cause) == (Action.DENY, Cause.HIDDEN)


def test_hidden_tools_are_hidden_even_if_listed():
    judged = desk({"look": {}, "wipe": {}}, hide=["wipe"])
    assert hidden(judged.ask(call("wipe")))
    assert judged.ask(call("look")).action is Action.ALLOW
    for default in ("allow", "deny"):
        assert hidden(desk({"look": {}}, hide=["*"], default=default).ask(call("look")))
    assert "hidden tools are out of the list" in points({}, hide=["x"])


def test_the_short_forms_of_the_faq():
    judged = desk(
        {
            "wipe": {"action": "deny", "reason": "it is for ever"},
            "pay": {"action": "require_approval", "reason": "it is money"},
            "look": {"action": "allow", "rate_limit": {"max": 1, "window": 90}, "reason": "slowly"},
        }
    )
    assert judged.ask(call("wipe")).reason == "Denied by rule files.wipe.deny: it is for ever."
    asked = judged.ask(call("pay"))
    assert (asked.action, asked.cause) == (Action.ASK, Cause.RULE)
    assert "it is money" in asked.reason
    assert judged.ask(call("look")).action is Action.ALLOW
    refused = judged.ask(call("look", session="another"), 80)
    assert (refused.action, refused.retry_s) == (Action.DENY, 10)
    assert "slowly" in refused.reason


def test_a_limit_of_all_tools_counts_every_call_of_the_server():
    everything = {"limits": [{"counter": "all", "window": "hour", "max": 2, "scope": "grant"}]}
    judged = desk({"a": {}, "b": {}, "c": {}}, all_tools=everything)
    assert judged.ask(call("nothing")).action is Action.DENY  # and costs nothing
    assert [judged.ask(call(name)).action for name in "abc"] == ["allow", "allow", "deny"]
    assert judged.ask(call("c", server="elsewhere", risk=Risk.READ)).action is Action.ALLOW


def test_tools_that_name_one_counter_are_counted_together():
    tools = {name: {"limits": [{"counter": "x", "window": "day", "max": 2}]} for name in "ab"}
    judged = desk(tools)
    assert [judged.ask(call(name)).action for name in "aba"] == ["allow", "allow", "deny"]
    assert "counted together (stricter)" in points(tools)


def test_conditions_tell_the_model_what_the_policy_says():
    entry = {"conditions": [{"path": "args.sum", "op": "gt", "value": 5}], "on_deny": "too much"}
    need = {"path": "args.why", "op": "exists", "value": True, "on_deny": "say why"}
    judged = desk({"pay": {"require": [need], "deny_if": [entry]}})
    assert "say why" in judged.ask(call("pay", arguments={"sum": 1})).reason
    assert "too much" in judged.ask(call("pay", arguments={"sum": 6, "why": "x"})).reason
    assert judged.ask(call("pay", arguments={"sum": 5, "why": "x"})).action is Action.ALLOW


def test_an_entry_without_conditions_denies_always_and_no_entry_denies_nothing():
    assert desk({"a": {"deny_if": [{"conditions": []}]}}).ask(call("a")).action is Action.DENY
    template = {"require": [], "deny_if": [], "limits": []}
    assert desk({"a": template}).ask(call("a")).action is Action.ALLOW
    assert "an empty list denies nothing" in points({"a": template})


def test_require_takes_groups_of_conditions_too():
    need = [{"path": "args.a", "op": "eq", "value": 1}, {"path": "args.b", "op": "eq", "value": 2}]
    judged = desk({"x": {"require": [{"conditions": need}]}})
    assert judged.ask(call("x", arguments={"a": 1, "b": 2})).action is Action.ALLOW
    assert judged.ask(call("x", arguments={"a": 1, "b": 3})).action is Action.DENY
    assert judged.ask(call("x", arguments={"b": 2})).action is Action.DENY


def test_a_path_without_args_is_an_argument_and_denies_when_it_is_missing():
    tools = {"x": {"deny_if": [{"conditions": [{"path": "n", "op": "gt", "value": 5}]}]}}
    judged = desk(tools)
    assert judged.ask(call("x", arguments={"n": 5})).action is Action.ALLOW
    assert judged.ask(call("x", arguments={"n": 6})).action is Action.DENY
    assert judged.ask(call("x")).action is Action.DENY
    assert "read as the argument args.n" in points(tools)


def test_ids_are_short_unique_and_always_the_same():
    long = "ein Werkzeug mit Ümlaut " * 9
    both = [{"path": "args.a", "op": "exists", "value": True}] * 2
    document = policy({long: {"require": both}, "b": {"require": both}})
    ids = [rule.fields["id"] for rule in imported(document, "ein Server").rules]
    assert len(set(ids)) == len(ids) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name) for name in ids)
    assert ids == [rule.fields["id"] for rule in imported(document, "ein Server").rules]


def test_foreign_text_in_a_comment_stays_in_its_line():
    found = imported(policy({'x\n[[rules]]\naction = "allow"': {"action": "deny"}}))
    assert all(comment.isprintable() for _, comment in found.rules)
    assert len(in_force(found).rules) == 2


def test_a_long_text_for_the_model_is_cut_and_that_is_said():
    found = imported(policy({"a": {"action": "deny", "reason": "x" * 501}}))
    assert len(found.rules[-1].fields["reason"]) == 500
    assert "cut to 500" in "\n".join(found.points)


CONDITION = {"path": "args.a", "op": "eq", "value": 1}
LIMIT = {"counter": "c", "window": "minute", "max": 1, "scope": "grant"}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "the policy must be a table, not a list"),
        ({"default": "deny"}, "the key 'version' is missing"),
        ({"version": "1"}, "the key 'default' is missing"),
        (policy() | {"version": "2"}, "version must be one of 1, not '2'"),
        (policy() | {"version": 1}, "version must be a string"),
        (policy(default="ask"), "default must be one of allow, deny, not 'ask'"),
        (policy(hidden=["a"]), "unknown key 'hidden' in the policy; did you mean 'hide'?"),
        (policy(hide="a"), "hide must be a list"),
        (policy(hide=[""]), "hide.0 is empty"),
        (policy({"a": {"limit": []}}), "tools.a.limit: unknown key 'limit' in a tool"),
        (policy({"*": {}}), "limits for every tool stand in all_tools"),
        (policy({" ": {}}), "is empty"),
        (policy({"a": {"action": "ask"}}), "tools.a.action must be one of allow, deny"),
        (policy({"a": {"limits": [LIMIT | {"scope": "org"}]}}), "tools.a.limits.0.scope must be"),
        (policy({"a": {"limits": [LIMIT | {"window": "week"}]}}), "window must be one of minute"),
        (policy({"a": {"limits": [LIMIT | {"max": 0}]}}), "max must be at least 1"),
        (policy({"a": {"limits": [LIMIT | {"max": 1.5}]}}), "max must be a whole number"),
        (policy({"a": {"limits": [LIMIT | {"max": True}]}}), "max must be a whole number"),
        (policy({"a": {"limits": [LIMIT | {"burst": 1}]}}), "unknown key 'burst' in a limit"),
        (policy({"a": {"limits": [{"max": 1, "window": "day"}]}}), "'counter' is missing"),
        (policy({"a": {"limits": [LIMIT, LIMIT]}}), "a counter of its own"),
        (
            policy({"a": {"limits": [LIMIT]}, "b": {"limits": [LIMIT | {"max": 2}]}}),
            "tools.b.limits.0: the counter 'c' has another limit already",
        ),
        (
            policy({"a": {"limits": [LIMIT]}}, all_tools={"limits": [LIMIT]}),
            "all_tools.limits.0: the counter 'c' is that of a tool",
        ),
        (policy({"a": {"rate_limit": {"max": 1}}}), "'window' is missing"),
        (policy({"a": {"rate_limit": {"max": 1, "window": "1m"}}}), "a number of seconds"),
        (
            policy({"a": {"rate_limit": {"max": 1, "window": 0}}}),
            "window must be more than nothing",
        ),
        (policy({"a": {"rate_limit": "1/minute"}}), "rate_limit must be a table"),
        (policy({"a": {"deny_if": [{}]}}), "the key 'conditions' is missing in an entry"),
        (policy({"a": {"require": [{"conditions": []}]}}), "requires nothing"),
        (policy({"a": {"require": ["args.a"]}}), "require.0 must be a table"),
    ],
)
def test_refused(document, says):
    with pytest.raises(PolicyError) as refused:
        imported(document)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        (CONDITION | {"op": "equals"}, "unknown operator 'equals'"),
        (CONDITION | {"op": "matches"}, "known are eq, neq"),
        (CONDITION | {"negate": True}, "unknown key 'negate' in a condition"),
        ({"path": "args.a", "op": "exists"}, "the key 'value' is missing"),
        (CONDITION | {"path": "state.a.n"}, "is no argument"),
        (CONDITION | {"path": "args"}, "is no argument"),
        (CONDITION | {"path": "args."}, "is no path of names"),
        (CONDITION | {"path": "args.a..b"}, "is no path of names"),
        (CONDITION | {"path": "args.list[0]"}, "is no path of names"),
        (CONDITION | {"op": "exists"}, "exists takes true or false"),
        (CONDITION | {"op": "lt", "value": "5"}, "needs a number"),
        (CONDITION | {"op": "in", "value": "a"}, "needs a list"),
        (CONDITION | {"op": "in", "value": []}, "an empty list matches nothing"),
        (CONDITION | {"op": "regex", "value": 5}, "regex takes a text"),
        (CONDITION | {"op": "regex", "value": "a(?=b)"}, "is no regular expression of RE2"),
        (CONDITION | {"op": "contains", "value": ["a"]}, "contains takes a text"),
        (CONDITION | {"value": None}, "is null"),
    ],
)
def test_conditions_that_are_refused(condition, says):
    with pytest.raises(PolicyError) as refused:
        imported(policy({"a": {"deny_if": [{"conditions": [condition]}]}}))
    assert says in str(refused.value)
    assert str(refused.value).startswith("tools.a.deny_if.0")


def test_conditions_that_one_rule_cannot_hold_are_refused():
    twice = [CONDITION, CONDITION | {"value": 2}]
    with pytest.raises(PolicyError, match="two conditions 'equals' on 'a'"):
        imported(policy({"a": {"deny_if": [{"conditions": twice}]}}))
    never = [{**CONDITION, "op": "gt"}, {**CONDITION, "op": "lt"}]
    with pytest.raises(PolicyError, match=r"can never do anything: when\.a"):
        imported(policy({"a": {"deny_if": [{"conditions": never}]}}))
