"""Intercept's YAML: rules that state what must hold, counters, and every form that is refused."""

import pytest

from mcpwall.importers.outcome import PolicyError
from mcpwall.model import Action, Cause, Risk
from tests.importers.build import from_yaml, in_force
from tests.policy.build import Desk, call

POLICY = """\
version: "1"
description: "Payments"
default: deny
hide:
  - transfer
tools:
  look:
    rules: []
  transfer: {}
  charge:
    rules:
      - name: "largest charge"
        conditions:
          - path: "args.amount"
            op: lte
            value: 500
          - {path: args.currency, op: in, value: [usd, eur]}
        on_deny: "Charges end at 500"
      - name: "daily spend"
        conditions:
          - {path: state.charge.spend, op: lte, value: 1000}
        state: {counter: spend, window: day, increment_from: args.amount}
  refund:
    rules:
      - {name: person, action: require_approval}
  wipe:
    rules:
      - {name: never, action: deny, on_deny: "not by an agent"}
  note:
    rules:
      - {name: slowly, rate_limit: 2/minute, on_deny: slowly}
  "*":
    rules:
      - name: everything
        conditions:
          - {path: state._global.calls, op: lt, value: 9}
        state: {counter: calls, window: hour, increment: 2}
"""


@pytest.fixture
def desk():
    return Desk(in_force(from_yaml(POLICY)))


def charge(amount, currency="usd", **more):
    return call("charge", arguments={"amount": amount, "currency": currency, **more})


def test_listed_tools_pass_and_others_do_not(desk):
    assert desk.ask(call("look", risk=Risk.EXECUTE)).action is Action.ALLOW
    assert desk.ask(call("transfer")).cause is Cause.HIDDEN
    assert desk.ask(call("unknown", risk=Risk.READ)).action is Action.DENY


def test_a_condition_that_fails_denies(desk):
    assert desk.ask(charge(500)).action is Action.ALLOW
    refused = desk.ask(charge(501))
    assert refused.action is Action.DENY
    assert "Charges end at 500" in refused.reason
    assert desk.ask(charge(1, "gbp")).action is Action.DENY
    assert desk.ask(call("charge", arguments={"amount": 1})).action is Action.DENY
    assert desk.ask(charge("1")).action is Action.DENY


def test_a_counter_that_sums_an_argument_is_a_budget(desk):
    assert [desk.ask(charge(n)).action for n in (500, 300, 201, 200)] == [
        "allow",
        "allow",
        "deny",
        "allow",
    ]
    assert desk.ask(charge(1), 86_399).action is Action.DENY
    assert desk.ask(charge(-1)).action is Action.DENY


def test_actions_and_rates(desk):
    assert desk.ask(call("refund", risk=Risk.READ)).action is Action.ASK
    assert "not by an agent" in desk.ask(call("wipe")).reason
    assert [desk.ask(call("note")).action for _ in range(3)] == ["allow", "allow", "deny"]
    assert desk.ask(call("note"), 60).action is Action.ALLOW


def test_a_counter_of_all_tools_counts_them_together(desk):
    # below 9 in steps of two: four calls
    done = [desk.ask(call(name)).action for name in ("look", "note", "look", "note", "look")]
    assert done == ["allow", "allow", "allow", "allow", "deny"]


def test_every_point_is_said_once():
    found = from_yaml(POLICY)
    assert len(found.points) == len(set(found.points))
    said = "\n".join(found.points)
    for word in ("hidden tools", "listed tools", "window:", "require_approval", "budget:", "fails"):
        assert word in said


def test_without_a_default_all_is_allowed_as_intercept_has_it():
    found = from_yaml('version: "1"\ntools: {look: {rules: []}}\n')
    assert 'which means "allow"' in found.points[0]
    assert Desk(in_force(found)).ask(call("wipe", risk=Risk.DESTRUCTIVE)).action is Action.ALLOW


@pytest.mark.parametrize(
    ("rule", "action"),
    [("{name: a, action: deny}", "deny"), ("{name: a, rate_limit: 1/day}", "allow")],
)
def test_rules_for_all_tools_under_a_default_of_allow(rule, action):
    found = from_yaml(f'version: "1"\ndefault: allow\ntools: {{"*": {{rules: [{rule}]}}}}\n')
    desk = Desk(in_force(found))
    assert desk.ask(call("x", risk=Risk.WRITE)).action == action
    assert desk.ask(call("y", risk=Risk.WRITE)).action is Action.DENY


STATE = "state: {counter: used, window: hour}"
BOUND = "{path: state.x.used, op: lte, value: 5}"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("{}", "the key 'name' is missing in a rule"),
        ("{name: a}", "needs a condition"),
        ("{name: a, conditions: []}", "needs a condition"),
        ("{name: a, action: log}", "action must be one of evaluate, deny, require_approval"),
        ("{name: a, action: deny, conditions: [" + BOUND + "]}", "beside action deny"),
        (
            "{name: a, action: require_approval, rate_limit: 1/day}",
            "beside action require_approval",
        ),
        ("{name: a, action: deny, approval_timeout: 5m}", "unknown key 'approval_timeout'"),
        ("{name: a, rate_limit: 5}", "rate_limit must be a string"),
        ("{name: a, rate_limit: 0/hour}", "rate_limit is '0/hour'"),
        ("{name: a, rate_limit: 5/week}", "rate_limit is '5/week'"),
        ("{name: a, rate_limit: 5/hour, " + STATE + "}", "rate_limit stands alone"),
        ("{name: a, conditions: [{path: amount, op: eq, value: 1}]}", "must start with args."),
        ("{name: a, conditions: [{path: args.a, op: like, value: 1}]}", "unknown operator 'like'"),
        ("{name: a, conditions: [" + BOUND + "]}", "needs one condition on its counter"),
        (
            "{name: a, " + STATE + ", conditions: [{path: args.a, op: eq, value: 1}]}",
            "needs one condition on its counter",
        ),
        (
            "{name: a, " + STATE + ", conditions: [{path: state.y.used, op: lte, value: 5}]}",
            "is not this rule's counter, 'state.x.used'",
        ),
        (
            "{name: a, " + STATE + ", conditions: [{path: state.x.used, op: eq, value: 5}]}",
            "bounded by lt or lte",
        ),
        (
            "{name: a, " + STATE + ", conditions: [{path: state.x.used, op: lte, value: 5.5}]}",
            "a whole number",
        ),
        (
            "{name: a, " + STATE + ", conditions: [{path: state.x.used, op: lt, value: 1}]}",
            "rate_limit.max must be at least 1",
        ),
        (
            "{name: a, conditions: ["
            + BOUND
            + "], state: {counter: used, window: hour, increment_from: args.a, increment: 2}}",
            "exclude each other",
        ),
        (
            "{name: a, conditions: ["
            + BOUND
            + "], state: {counter: used, window: hour, increment_from: amount}}",
            "increment_from must start with args.",
        ),
        (
            "{name: a, conditions: [" + BOUND + "], state: {counter: used, window: week}}",
            "state.window must be one of minute",
        ),
    ],
)
def test_rules_that_are_refused(rule, says):
    with pytest.raises(PolicyError) as refused:
        from_yaml(f'version: "1"\ndefault: deny\ntools:\n  x: {{rules: [{rule}]}}\n')
    assert says in str(refused.value)
    assert "tools.x.rules.0" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('version: "1"\n', "the key 'tools' is missing"),
        ("version: 1\ntools: {}\n", "version must be a string"),
        ('version: "1"\ntools: {}\napprovals: {}\n', "unknown key 'approvals'"),
        ('version: "1"\ntools: {x: []}\n', "tools.x must be a table"),
        ('version: "1"\ntools: {x: {limits: []}}\n', "unknown key 'limits' in a tool"),
    ],
)
def test_policies_that_are_refused(text, says):
    with pytest.raises(PolicyError) as refused:
        from_yaml(text)
    assert says in str(refused.value)


def test_two_rules_of_a_tool_with_one_counter_are_refused():
    rule = "{name: a, conditions: [" + BOUND + "], " + STATE + "}"
    with pytest.raises(PolicyError, match="two rules share the counter 'used'"):
        from_yaml(f'version: "1"\ndefault: deny\ntools: {{x: {{rules: [{rule}, {rule}]}}}}\n')
