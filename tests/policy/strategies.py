"""Hypothesis strategies: calls, rules and defaults that meet each other often."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from mcpwall.model import Action, Call, Condition, Defaults, Per, RateLimit, Risk, Rule
from tests.policy.build import call

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
    st.builds(Condition, st.sampled_from(("path", "amount")), st.just("exists"), st.booleans()),
)
arguments = st.fixed_dictionaries(
    {},
    optional={
        "path": st.sampled_from(("a", "b", "cab", "", None, 5)),
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
    st.sampled_from((Per.TOOL, Per.SESSION)),
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "tool": patterns,
        "server": st.sampled_from((("files",), ("!files",), ("*",))),
        "agent": st.sampled_from((("claude-code",), ("claude-code#1",), ("!codex",))),
        "method": st.sampled_from((("*",), ("prompts/*",), ("tools/call",))),
        "risk": st.lists(st.sampled_from(tuple(Risk)), max_size=2).map(tuple),
        "when": st.lists(conditions, max_size=2).map(tuple),
        "enabled": st.booleans(),
        "reason": st.sampled_from(("", "because")),
    },
)


def rules(of: st.SearchStrategy[Action | None], *, limited: bool = True) -> Any:
    """Lists of rules with ids r0, r1, … that do what `of` says; some also limit."""
    does = st.tuples(bodies, of, st.none() | limits if limited else st.none())
    return st.lists(does, max_size=6).map(
        lambda parts: [
            Rule(f"r{i}", action=action, rate_limit=limit, **body)
            for i, (body, action, limit) in enumerate(parts)
        ]
    )


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
    )


def renamed(rule: Rule, name: str) -> Rule:
    return msgspec.structs.replace(rule, id=name)
