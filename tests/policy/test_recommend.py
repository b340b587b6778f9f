from __future__ import annotations

import pytest

from mcpwall.model import Action, Risk, Tool
from mcpwall.policy.recommend import for_tool, for_tools
from mcpwall.store.config import load_text
from mcpwall.store.rule_tables import render


def tool(name: str, risk: Risk = Risk.WRITE, server: str = "notes") -> Tool:
    return Tool(server, name, risk=risk, why="its name says so")


@pytest.mark.parametrize("risk", Risk)
def test_every_recommendation_loads_and_concerns_its_tools_alone(risk: Risk) -> None:
    tools = [tool("b*d", risk), tool("!a", risk), tool("x", risk, "other-server")]
    for found in (*map(for_tool, tools), *for_tools(tools)):
        config = load_text(render(found.fields), "config.toml")
        (rule,) = config.rules
        assert rule.reason
        assert found.reason

        about = [each for each in tools if config.policy().about(each)]
        named = found.fields["tool"]
        assert len(about) == (len(named) if isinstance(named, list) else 1)
        assert config.policy().about(tool("bxd", risk)) == []


@pytest.mark.parametrize(
    ("risk", "action", "per_minute"),
    [
        (Risk.READ, Action.ALLOW, None),
        (Risk.WRITE, None, 30),
        (Risk.EXECUTE, Action.ASK, 10),
        (Risk.DESTRUCTIVE, Action.ASK, None),
        (Risk.FINANCIAL, Action.ASK, None),
        (Risk.UNKNOWN, Action.ASK, 30),
    ],
)
def test_what_is_recommended_for_each_class(
    risk: Risk, action: Action | None, per_minute: int | None
) -> None:
    (rule,) = load_text(render(for_tool(tool("x", risk)).fields), "c").rules
    assert rule.action is action
    assert (rule.rate_limit.max if rule.rate_limit else None) == per_minute
    assert rule.rate_limit is None or rule.rate_limit.window_s == 60


def test_tools_of_one_class_share_a_rule() -> None:
    tools = [tool("b"), tool("a"), tool("r", Risk.READ), tool("b", server="mail")]
    fields = [found.fields for found in for_tools(tools)]
    assert [(each["server"], each["tool"]) for each in fields] == [
        ("mail", ["b"]),
        ("notes", ["r"]),
        ("notes", ["a", "b"]),
    ]


def test_rules_for_different_tools_have_different_ids() -> None:
    names = ["a.b", "a-b", "a b", "a" * 90, "a" * 91, "write"]
    tools = [tool(name, server=server) for name in names for server in ("s", "s-a", "s a", "s.a")]
    ids = [for_tool(each).fields["id"] for each in tools]
    ids += [found.fields["id"] for found in for_tools(tools)]
    assert len(set(ids)) == len(ids)
