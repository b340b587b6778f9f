"""Hypothesis strategies: calls, rules and defaults that meet each other often."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from mcpwall.model import (
    Action,
    After,
    Budget,
    Call,
    Condition,
    Defaults,
    Origin,
    Per,
    RateLimit,
    Reach,
    Reads,
    Rest,
    Risk,
    Rule,
)
from tests.policy.build import call
from tests.policy.reference import SECRET

TOOLS = ("read", "write", "write_all", "pay")
METHODS = ("tools/call", "prompts/get")
patterns = st.lists(
    st.sampled_from(("*", "r*", "write*", "?ay", "!pay", "!write", "[rp]*", *TOOLS)), max_size=3
).map(tuple)
conditions = st.one_of(
    st.builds(Condition, st.just("path"), st.just("equals"), st.sampled_from(("a", "b"))),
    st.builds(
        Condition, st.just("path"), st.sampled_from(("contains", "not_contains")), st.just("a")
    ),
    st.builds(Condition, st.just("amount"), st.just("gt"), st.sampled_from((0, 5, 9.5))),
    st.builds(
        Condition,
        st.sampled_from(("path", "amount")),
        st.sampled_from(("exists", "secret")),
        st.booleans(),
    ),
)
arguments = st.fixed_dictionaries(
    {},
    optional={
        "path": st.sampled_from(("a", "b", "cab", "", SECRET, None, 5)),
        "amount": st.sampled_from((0, 5, 6, 9.5, 10.25, "6", True, None)),
    },
)
actions = st.sampled_from(tuple(Action))
defaults = st.builds(
    Defaults,
    **dict.fromkeys(
        [name for name in Defaults.__struct_fields__ if name != "hold_s"],
        st.sampled_from((Action.ALLOW, Action.ASK, Action.DENY)),
    ),
)
limits = st.builds(
    RateLimit,
    st.integers(1, 3),
    st.sampled_from((1.0, 2.5, 10.0)),
    st.sampled_from(tuple(Per)),
    st.sampled_from(("", "", "path")),
)
budgets = st.builds(
    Budget,
    st.just("amount"),
    st.sampled_from(("5", "9.5", "2e1", "20.25")),
    st.sampled_from((1.0, 2.5, 10.0)),
    st.sampled_from(tuple(Per)),
    st.sampled_from(("", "", "path")),
)
rests = st.dictionaries(st.sampled_from(("files", "web")), st.sampled_from(tuple(Rest)), max_size=1)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "tool": patterns,
        "server": st.sampled_from((("files",), ("!files",), ("*",))),
        "agent": st.sampled_from((("claude-code",), ("claude-code#1",), ("!codex",))),
        "method": st.sampled_from((("*",), ("prompts/*",), ("tools/call",))),
        "risk": st.lists(st.sampled_from(tuple(Risk)), max_size=2).map(tuple),
        "when": st.lists(conditions, max_size=2).map(tuple),
        "reach": st.sampled_from(((Reach.NET,), (Reach.LOCAL, Reach.SERVICE))),
        "reads": st.sampled_from(((Reads.SECRETS,), tuple(Reads))),
        "enabled": st.booleans(),
        "reason": st.sampled_from(("", "because")),
        "hide": st.sampled_from((False, False, True)),
    },
)


afters = st.builds(
    After,
    tool=patterns,
    server=st.sampled_from(((), ("files",), ("!files",))),
    method=st.sampled_from(((), ("*",), ("prompts/*",))),
    risk=st.sampled_from(((), (Risk.READ,), (Risk.WRITE, Risk.UNKNOWN))),
    reach=st.sampled_from(((), (Reach.NET,))),
    reads=st.sampled_from(((), (Reads.SECRETS,), tuple(Reads))),
    within_s=st.sampled_from((None, 1.0, 3.0)),
)
pasts = st.fixed_dictionaries(
    {}, optional={"after": afters, "repeat": st.integers(1, 2), "more_than": limits}
)


def rule_of(name: str, body: Any, past: Any, action: Action | None, limit: Any) -> Rule:
    """A rule of these parts; those that look at earlier calls only where they may."""
    if body.get("hide"):  # goes by names and risk alone
        names = {key: body[key] for key in body if key not in ("method", "when")}
        return Rule(name, action=action if action is Action.DENY else None, **names)
    if action in (Action.ALLOW, Action.APPROVE):
        past = {}
    elif action is not Action.ASK or limit:
        past = {key: past[key] for key in past if key != "more_than"}
    return Rule(name, action=action, **limit, **body, **past)


counted = st.fixed_dictionaries({}, optional={"rate_limit": limits, "budget": budgets})


def rules(of: st.SearchStrategy[Action | None], *, limited: bool = True) -> Any:
    """Lists of rules with ids r0, r1, … that do what `of` says; some limit or look back too."""
    does = st.tuples(
        bodies, st.just({}) | pasts, of, st.just({}) | counted if limited else st.just({})
    )
    return st.lists(does, max_size=6).map(
        lambda parts: [rule_of(f"r{i}", *part) for i, part in enumerate(parts)]
    )


def of_a_project(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, origin=Origin(".mcpwall.toml", 1, project=True))


any_rules = rules(st.none() | actions)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    agent = draw(st.sampled_from(("claude-code#1", "codex#1")))
    return call(
        draw(st.sampled_from(TOOLS)),
        arguments=draw(arguments),
        risk=draw(st.sampled_from(tuple(Risk))),
        method=draw(st.sampled_from(METHODS)),
        server=draw(st.sampled_from(("files", "web"))),
        session=draw(st.sampled_from(("one", "two"))),
        agent=agent,
        client=agent.partition("#")[0],
        run=draw(st.sampled_from(("7", "8"))),
        digest=draw(st.sampled_from(("d1", "d2"))),
        reach=draw(st.sampled_from(tuple(Reach))),
        reads=draw(st.sampled_from(((), (Reads.SECRETS,), (Reads.UNTRUSTED,)))),
    )


def renamed(rule: Rule, name: str) -> Rule:
    return msgspec.structs.replace(rule, id=name)
