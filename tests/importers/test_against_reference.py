"""Imported rules decide as the policy does, and never let through what it stops."""

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from mcpwall.importers.outcome import PolicyError
from mcpwall.model import Action, Risk
from tests.importers import reference
from tests.importers.build import imported, in_force, policy
from tests.policy.build import Desk, call

STRICTNESS = ("allow", "ask", "deny")
NAMES = ("read", "write", "pay[*]", "!odd")
PATHS = ("args.amount", "args.to.name", "args.any")
texts = st.sampled_from(("main", "feat/x", "a", ""))
numbers = st.sampled_from((0, 1, 5, 5.0, 9.5, -1))
scalars = texts | numbers | st.booleans()


def condition(op: str, value: st.SearchStrategy) -> st.SearchStrategy:
    path = st.sampled_from(PATHS)
    return st.fixed_dictionaries({"path": path, "op": st.just(op), "value": value})


conditions = st.one_of(
    *(condition(op, scalars) for op in ("eq", "neq", "contains")),
    *(condition(op, st.lists(scalars, min_size=1, max_size=3)) for op in ("in", "not_in")),
    *(condition(op, numbers) for op in ("lt", "lte", "gt", "gte")),
    condition("regex", st.sampled_from(("^main$", "a", "x$", "[0-9]"))),
    condition("exists", st.booleans()),
)
entries = st.fixed_dictionaries({"conditions": st.lists(conditions, max_size=2)})
limits = st.fixed_dictionaries(
    {"window": st.sampled_from(("minute", "hour")), "max": st.integers(1, 3)},
    optional={"scope": st.just("grant")},
)
tools = st.fixed_dictionaries(
    {},
    optional={
        "require": st.lists(conditions, max_size=2),
        "deny_if": st.lists(entries, max_size=2),
        "limits": st.lists(limits, max_size=2),
        "action": st.sampled_from(("allow", "deny", "require_approval")),
        "rate_limit": st.fixed_dictionaries({"max": st.integers(1, 3), "window": st.just(90)}),
    },
)
policies = st.builds(
    policy,
    st.dictionaries(st.sampled_from(NAMES), tools, max_size=3),
    st.sampled_from(("allow", "deny")),
    hide=st.lists(st.sampled_from((*NAMES, "*")), max_size=1),
    all_tools=st.fixed_dictionaries({"limits": st.lists(limits, max_size=1)}),
)
values = scalars | st.none() | st.lists(scalars, max_size=2)
arguments = st.fixed_dictionaries(
    {},
    optional={
        "amount": values,
        "any": values,
        "to": st.fixed_dictionaries({}, optional={"name": values}) | texts,
    },
)
calls = st.lists(
    st.tuples(
        st.sampled_from((*NAMES, "new")),
        arguments,
        st.integers(0, 50),
        st.sampled_from(tuple(Risk)),
    ),
    min_size=1,
    max_size=12,
)


def named_counters(document: dict) -> dict:
    """The same policy with a counter of its own for each limit."""
    everything = (*document["tools"].values(), document["all_tools"])
    found = [limit for one in everything for limit in one.get("limits", [])]
    for number, limit in enumerate(found):
        limit["counter"] = f"counter {number}"
    return document


def check(document, schedule):
    """Judge each call by the imported rules and by the reference."""
    try:
        desk = Desk(in_force(imported(document)))
    except PolicyError:
        reject()  # contradicts itself: refused, see test_policylayer
    done: reference.Done = []
    now = 0
    for name, given_arguments, pause, risk in schedule:
        now += pause
        wanted = reference.evaluate(document, name, given_arguments, done, now)
        verdict = desk.ask(call(name, arguments=given_arguments, risk=risk), now)
        tool = document["tools"].get(name, {})
        asked = [*tool.get("require", [])]
        asked += [one for entry in tool.get("deny_if", []) for one in entry["conditions"]]
        if any(reference.is_odd(one, given_arguments) for one in asked):
            assert STRICTNESS.index(verdict.action) >= STRICTNESS.index(wanted)
        else:
            assert verdict.action == wanted, verdict.reason
        if verdict.action is Action.ALLOW:
            done.append((name, now))


@settings(max_examples=200)
@given(policies.map(named_counters), calls)
def test_imported_rules_decide_as_a_naive_reading_of_the_policy(document, schedule):
    check(document, schedule)


@settings(max_examples=500)
@given(conditions, st.sampled_from(("require", "deny_if")), st.lists(values, min_size=8))
def test_every_operator_decides_as_a_naive_reading_of_it(one, key, candidates):
    entry = {"conditions": [one]} if key == "deny_if" else one
    *way, last = one["path"].removeprefix("args.").split(".")
    schedule = [("read", {}, 0, Risk.READ)]
    for value in (*candidates, one["value"]):
        inner = {last: value}
        schedule.append(("read", {way[0]: inner} if way else inner, 0, Risk.WRITE))
    check(policy({"read": {key: [entry]}}), schedule)
