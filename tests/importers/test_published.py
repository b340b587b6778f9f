"""The published example, from its text to what a server gets: an engine, a clock of the test's."""

import json
from pathlib import Path

import pytest

from mcpwall.store.config import load_text
from mcpwall.store.edit import add_rules
from tests.engine.wall import Wall, call, text, tool, verdict
from tests.importers.build import imported

PUBLISHED = json.loads(Path(__file__).with_name("policylayer.json").read_text())
TOOLS = [
    tool("sam_local_invoke"),
    tool("sam_deploy"),
    tool("get_metrics"),
    tool("SAM_local_invoke"),
]


@pytest.fixture
def wall(tmp_path):
    config = add_rules(load_text("", "config.toml"), imported(PUBLISHED, "aws").rules)
    wall = Wall(tmp_path, config.text)
    yield wall
    wall.drop()


def test_ten_invocations_reach_the_server_and_the_eleventh_is_told_when(wall):
    talk = wall.session(server="aws", tools=TOOLS)
    for number in range(10):
        talk.asks(call(number, "sam_local_invoke", {"resource_name": "F"}))
        wall.clock.advance(2.5)
    assert [message["id"] for message in talk.forwarded()] == list(range(10))
    talk.asks(call(10, "sam_local_invoke"))
    refusal = talk.refusal()
    facts = verdict(refusal)
    assert (facts["cause"], facts["rules"]) == ("limit", ["aws.sam_local_invoke_rate"])
    assert facts["retryAfter"] == 35
    assert "aws.sam_local_invoke_rate" in text(refusal)
    assert "Retry after 35 s" in text(refusal)


def test_after_the_window_it_passes_again(wall):
    talk = wall.session(server="aws", tools=TOOLS)
    talk.asks(*(call(number, "sam_local_invoke") for number in range(10)))
    talk.forwarded()
    wall.clock.advance(59.9)
    talk.asks(call(10, "sam_local_invoke"))
    assert verdict(talk.refusal())["retryAfter"] == 1
    wall.clock.advance(0.1)
    talk.asks(*(call(number, "sam_local_invoke") for number in range(11, 22)))
    assert [message["id"] for message in talk.forwarded()] == list(range(11, 21))


def test_p09_another_session_or_another_name_brings_no_new_quota(wall):
    talk = wall.session(server="aws", tools=TOOLS)
    talk.asks(*(call(number, "sam_local_invoke") for number in range(10)))
    for client in ("claude-code", "codex"):
        other = wall.session(server="aws", tools=TOOLS, client=client)
        other.asks(call(1, "sam_local_invoke"))
        assert verdict(other.refusal())["cause"] == "limit"


@pytest.mark.parametrize("name", ["sam_deploy", "get_metrics", "SAM_local_invoke"])
def test_every_other_tool_is_denied(wall, name):
    talk = wall.session(server="aws", tools=TOOLS)
    talk.asks(call(1, name))
    facts = verdict(talk.refusal())
    assert (facts["cause"], facts["rules"]) == ("rule", ["aws.default"])


def test_other_servers_are_left_alone(wall):
    talk = wall.session(server="notes", tools=[tool("get_metrics")])
    talk.asks(call(1, "get_metrics"))
    assert [message["id"] for message in talk.forwarded()] == [1]


def test_the_rules_are_these():
    found = imported(PUBLISHED, "aws")
    assert [rule.fields for rule in found.rules] == [
        {
            "id": "aws.default",
            "server": "aws",
            "tool": ["*", "!sam_local_invoke"],
            "action": "deny",
            "reason": "the policy does not list this tool",
        },
        {"id": "aws.allowed", "server": "aws", "tool": "sam_local_invoke", "action": "allow"},
        {
            "id": "aws.sam_local_invoke_rate",
            "server": "aws",
            "tool": "sam_local_invoke",
            "rate_limit": {"max": 10, "window": 60},
        },
    ]
    assert [point.partition(":")[0] for point in found.points] == [
        "tools",
        "window",
        'scope "grant"',
    ]
