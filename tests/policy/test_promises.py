"""The judge's promises as properties: over all rules, calls and histories that hypothesis finds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.model import Action, Call, Cause, Defaults, Origin, Rest, Risk, Rule
from mcpwall.policy.answers import Answers
from mcpwall.policy.compile import STRICTNESS, Policy, compile_policy
from mcpwall.policy.compiled import RuleError
from mcpwall.policy.judge import judge
from tests.policy import reference
from tests.policy.build import SECOND, Desk, budget, call, limit, policy, rule, state, verdict
from tests.policy.strategies import (
    TOOLS,
    any_rules,
    calls,
    defaults,
    of_a_project,
    renamed,
    rests,
    rules,
)

histories = st.lists(calls(), max_size=4)


def strictness(rules_in_force: Policy, history: list[Call], last: Call, **fields: Any) -> int:
    """How strictly the last call is judged, after others were judged and booked."""
    desk = Desk(rules_in_force)
    for earlier in history:
        desk.ask(earlier)
    return STRICTNESS[desk.ask(last, **fields).action]


@given(st.data(), any_rules, defaults, calls())
def test_p03_order_and_repetition_change_nothing(
    data: st.DataObject, some: list[Rule], given_defaults: Defaults, what: Call
) -> None:
    again = data.draw(st.lists(st.sampled_from(some), max_size=3)) if some else []
    mixed = data.draw(st.permutations([*some, *again]))
    one, other = compile_policy(some, given_defaults), compile_policy(mixed, given_defaults)
    assert one.hash == other.hash
    assert judge(what, one, state()) == judge(what, other, state())


@given(any_rules, defaults, histories, calls(), st.integers(0, 5))
def test_p03_the_same_rule_under_two_names_changes_no_action(
    some: list[Rule], given_defaults: Defaults, history: list[Call], what: Call, which: int
) -> None:
    twice = [*some, renamed(some[which], "copy")] if which < len(some) else some
    one, other = compile_policy(some, given_defaults), compile_policy(twice, given_defaults)
    assert strictness(one, history, what) == strictness(other, history, what)


@given(any_rules, defaults, calls(), st.booleans())
def test_p03_a_deny_wins_over_everything(
    some: list[Rule], given_defaults: Defaults, what: Call, approved: bool
) -> None:
    deny = Rule("deny", method=("*",), action=Action.DENY)
    in_force = compile_policy([*some, deny], given_defaults)
    given_verdict = judge(what, in_force, state(approved=approved))
    assert given_verdict.action is Action.DENY
    assert given_verdict.cause is Cause.HIDDEN or "deny" in given_verdict.rules


@given(any_rules, rules(st.just(Action.DENY), limited=False), defaults, calls())
def test_p04_adding_a_deny_never_permits(
    some: list[Rule], denies: list[Rule], given_defaults: Defaults, what: Call
) -> None:
    more = [*some, *(renamed(one, f"deny {one.id}") for one in denies)]
    for approved in (False, True):
        given_state = state(approved=approved)
        before = judge(what, compile_policy(some, given_defaults), given_state)
        after = judge(what, compile_policy(more, given_defaults), given_state)
        assert STRICTNESS[after.action] >= STRICTNESS[before.action]


@given(any_rules, defaults, calls())
def test_p04_an_error_in_a_condition_never_permits(
    some: list[Rule], given_defaults: Defaults, what: Call
) -> None:
    """A value that no operator can evaluate is judged at least as strictly as any other.

    No value is one to `secret`: nothing holds no secret.
    """
    some = [one for one in some if all(condition.op != "secret" for condition in one.when)]
    in_force = compile_policy(some, given_defaults)
    odd = msgspec.structs.replace(what, arguments={"path": None, "amount": None})
    strict = STRICTNESS[judge(odd, in_force, state()).action]
    for arguments in ({}, what.arguments, {"path": "a", "amount": 7}):
        plain = msgspec.structs.replace(what, arguments=arguments)
        assert strict >= STRICTNESS[judge(plain, in_force, state()).action]


@pytest.mark.parametrize("risk", list(Risk))
def test_p05_without_a_rule_the_default_of_the_class_decides(risk: Risk) -> None:
    for action in ("allow", "ask", "deny"):
        given_verdict = verdict(call(risk=risk), **{risk.value: action})
        assert (given_verdict.action, given_verdict.cause) == (Action(action), Cause.DEFAULT)


@pytest.mark.parametrize(
    ("risk", "expected"),
    [
        (Risk.READ, Action.ALLOW),
        (Risk.WRITE, Action.ASK),
        (Risk.EXECUTE, Action.ASK),
        (Risk.DESTRUCTIVE, Action.ASK),
        (Risk.FINANCIAL, Action.ASK),
        (Risk.UNKNOWN, Action.ASK),
    ],
)
def test_p05_an_unknown_class_is_treated_as_changing_things(risk: Risk, expected: Action) -> None:
    assert verdict(call(risk=risk)).action is expected


def test_p05_nobody_answers_unless_somebody_does() -> None:
    assert Defaults().unattended is Action.DENY
    assert verdict(call(risk=Risk.WRITE)).action is Action.ASK


tightening = rules(st.sampled_from((None, Action.DENY, Action.ASK)))
also = st.dictionaries(  # classes that a project adds, by server and tool
    st.sampled_from(("files", "web")),
    st.dictionaries(
        st.sampled_from(TOOLS),
        st.lists(st.sampled_from(tuple(Risk)), min_size=1, max_size=2).map(tuple),
    ),
    max_size=2,
)


@given(st.data(), any_rules, defaults, histories, calls())
def test_p06_a_project_can_only_tighten(
    data: st.DataObject,
    users: list[Rule],
    given_defaults: Defaults,
    history: list[Call],
    what: Call,
) -> None:
    project = data.draw(tightening)
    project_defaults = data.draw(st.none() | defaults)
    rest = data.draw(st.sampled_from(({}, {"files": Rest.DENY}, {"web": Rest.HIDE})))
    alone = compile_policy(users, given_defaults, rest=rest)
    together = compile_policy(
        users,
        given_defaults,
        project_rules=project,
        project_defaults=project_defaults,
        rest=rest,
        also=data.draw(also),
    )
    remembered, _ = Answers().remember(
        what, allow=True, match="tool", scope="session", now_ns=0, made_ms=0
    )
    # Where a project's rules refused earlier calls, the user's own limits have counted less, and
    # their rules on earlier calls found less: so histories are only compared without such rules.
    counts = any(one.rate_limit or one.looks_back() for one in (*users, *project))
    past = [] if counts else history
    for fields in ({}, {"approved": True}, {"answers": remembered}):
        assert strictness(together, past, what, **fields) >= strictness(alone, past, what, **fields)
    assert STRICTNESS[together.defaults.unattended] >= STRICTNESS[alone.defaults.unattended]


@pytest.mark.parametrize("action", [Action.ALLOW, Action.APPROVE])
def test_p06_what_a_project_would_permit_is_refused(action: Action) -> None:
    loosening = rule("r", tool="x", action=action)
    with pytest.raises(RuleError, match="only tightens"):
        compile_policy([], Defaults(), project_rules=[loosening])
    marked = msgspec.structs.replace(loosening, origin=Origin("p", 1, project=True))
    with pytest.raises(RuleError, match="only tightens"):
        compile_policy([marked], Defaults())


def test_p06_a_users_ask_relaxes_a_default_of_deny_and_a_projects_does_not() -> None:
    ask = rule("r", tool="x", action="ask")
    strict = Defaults(write=Action.DENY)
    what = call("x", risk=Risk.WRITE)
    assert judge(what, compile_policy([ask], strict), state()).action is Action.ASK
    project = compile_policy([], strict, project_rules=[ask])
    assert judge(what, project, state()).action is Action.DENY


TENTH = SECOND // 10
moments = st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=60)


@given(moments, st.integers(1, 4), st.sampled_from((1, 3, 10)))
def test_p09_at_most_n_in_any_window(
    schedule: list[tuple[int, bool]], maximum: int, window: int
) -> None:
    """Calls of two sessions at tenths of seconds; each is judged and forwarded if it may."""
    desk = Desk(policy(rule("cap", rate_limit=limit(maximum, window))))
    passed: list[int] = []
    for at, second in sorted(schedule):
        what = call(session="two" if second else "one")
        given_verdict = desk.ask(what, at / 10)
        in_window = [earlier for earlier in passed if earlier > at - window * 10]
        assert (given_verdict.action is Action.ALLOW) is (len(in_window) < maximum)
        if given_verdict.action is Action.ALLOW:
            passed.append(at)
        else:
            assert given_verdict.retry_s is not None
            later = state(now_ns=at * TENTH + given_verdict.retry_s * SECOND, limits=desk.limits)
            assert judge(what, desk.policy, later).action is Action.ALLOW
    for start in range(41):
        assert sum(start <= at < start + window * 10 for at in passed) <= maximum


costs = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from((0, 0.1, 0.2, 1, 2.5, 7))), max_size=40
)


@given(costs, st.sampled_from(("0.3", "5", "7.7")))
def test_p09_at_most_the_sum_in_any_window(schedule: list[tuple[int, float]], maximum: str) -> None:
    desk = Desk(policy(rule("cap", budget=budget("amount", maximum, 10))))
    passed: list[tuple[int, Decimal]] = []
    for at, amount in sorted(schedule):
        given_verdict = desk.ask(call(arguments={"amount": amount}), at)
        cost = Decimal(str(amount))
        spent = sum(c for earlier, c in passed if earlier > at - 10)
        assert (given_verdict.action is Action.ALLOW) is (spent + cost <= Decimal(maximum))
        if given_verdict.action is Action.ALLOW:
            passed.append((at, cost))


timed = st.lists(st.tuples(st.integers(0, 8), calls(), st.booleans()), max_size=8)


@settings(max_examples=400)
@given(
    any_rules,
    tightening.map(lambda some: some[:2]),
    defaults,
    st.tuples(rests, st.just({}) | also),
    timed,
)
def test_p15_the_judge_agrees_with_a_naive_one(
    users: list[Rule],
    projects: list[Rule],
    given_defaults: Defaults,
    servers: tuple[dict[str, Rest], dict[str, dict[str, tuple[Risk, ...]]]],
    schedule: list[tuple[int, Call, bool]],
) -> None:
    rest, added = servers
    some = [*users, *(of_a_project(renamed(one, f"p{one.id}")) for one in projects)]
    desk = Desk(compile_policy(some, given_defaults, rest=rest, also=added))
    booked: reference.Bookings = []
    made: reference.Made = []
    for at, what, approved in sorted(schedule, key=lambda step: step[0]):
        fast = desk.ask(what, at, approved=approved)
        past = (booked, made)
        tools = added.get(what.server, {}) if what.method == "tools/call" else {}
        found = [
            reference.judge(
                msgspec.structs.replace(what, risk=risk),
                *(some, given_defaults, past, at),
                rest=rest,
                approved=approved,
            )
            for risk in dict.fromkeys((what.risk, *tools.get(what.tool, ())))
        ]
        action, cause, ids, _ = max(found, key=lambda one: STRICTNESS[one[0]])
        to_book = list(dict.fromkeys(booking for one in found for booking in one[3]))
        assert (fast.action, fast.cause, set(fast.rules)) == (action, cause, ids)
        if action is Action.ALLOW:
            booked += to_book
            made.append((what, at))
