"""Tools that a rule takes out of agents' lists, and servers that are cut to what rules name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mcpwall.engine.port_rules import PutRule
from tests.engine.wall import RULES, TOOLS, Talk, Wall, call, note, request, result, verdict

HIDE = RULES + '\n[[rules]]\nid = "out"\ntool = "count"\nhide = true\n'
UNKNOWN = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "Unknown tool: count"}}
Make = Callable[[str], Wall]


def listed(talk: Talk, **page: Any) -> list[str]:
    talk.asks(request("list", "tools/list"))
    talk.answers(result("list", **{"tools": TOOLS, **page}))
    talk.forwarded()
    (answer,) = talk.got()
    return [tool["name"] for tool in answer["result"]["tools"]]


def opened(talk: Talk, capabilities: dict[str, Any]) -> dict[str, Any]:
    info = {"name": "claude-code", "version": "1"}
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}
    talk.asks(request("init", "initialize", hello))
    talk.answers(result("init", protocolVersion="2025-11-25", capabilities=capabilities))
    talk.forwarded()
    (answer,) = talk.got()
    return answer["result"]["capabilities"]


def test_a_hidden_tool_is_in_no_list_and_is_answered_as_unknown(wall_with: Make) -> None:
    wall = wall_with(HIDE)
    talk = wall.session()
    assert listed(talk) == ["look", "pay", "wipe"]
    talk.asks(call(1, "count"))
    assert talk.forwarded() == []
    assert talk.got() == [UNKNOWN]
    row = wall.recorded(wall.engine.last_call)
    assert row.verdict.cause == "hidden"
    assert row.verdict.rules == ("out",)


def test_a_client_that_never_lists_is_told_the_same(wall_with: Make) -> None:
    talk = Talk(wall_with(HIDE))
    talk.greet()
    talk.asks(call(1, "count"))
    (listing,) = talk.forwarded()
    talk.answers(result(listing["id"], tools=TOOLS))
    assert talk.got() == [UNKNOWN]


def test_tools_are_hidden_from_the_agents_that_a_rule_names(wall_with: Make) -> None:
    wall = wall_with(HIDE + 'agent = "codex"\n')
    assert "count" in listed(wall.session())
    assert "count" not in listed(wall.session(client="codex"))


def test_tools_are_hidden_by_risk(wall_with: Make) -> None:
    wall = wall_with(RULES + '\n[[rules]]\nrisk = "destructive"\nhide = true\n')
    assert listed(wall.session()) == ["look", "count", "pay"]


def test_every_page_is_filtered_and_keeps_its_cursor(wall_with: Make) -> None:
    talk = Talk(wall_with(HIDE))
    talk.greet()
    assert listed(talk, tools=[TOOLS[1]], nextCursor="2") == []
    talk.asks(request("more", "tools/list", {"cursor": "2"}))
    talk.answers(result("more", tools=[TOOLS[0], TOOLS[1]]))
    assert [tool["name"] for tool in talk.got()[0]["result"]["tools"]] == ["look"]


def test_a_list_that_is_out_of_date_hides_as_well(wall_with: Make) -> None:
    talk = wall_with(HIDE).session()
    talk.asks(request("list", "tools/list"))
    talk.answers(note("notifications/tools/list_changed"))
    talk.answers(result("list", tools=TOOLS))
    assert "count" not in str(talk.got())


def test_the_answer_to_a_cancelled_list_hides_as_well(wall_with: Make) -> None:
    talk = wall_with(HIDE).session()
    talk.asks(request("list", "tools/list"))
    talk.asks(note("notifications/cancelled", {"requestId": "list"}))
    talk.answers(result("list", tools=TOOLS))
    assert "count" not in str(talk.got())


def test_agents_are_told_when_other_tools_are_hidden(wall: Wall) -> None:
    talk = Talk(wall)
    assert opened(talk, {"tools": {"listChanged": True}}) == {"tools": {"listChanged": True}}
    listed(talk)
    hide = {"id": "out", "tool": "count", "hide": True}
    wall.do(PutRule(hide))
    assert talk.got() == [note("notifications/tools/list_changed")]
    wall.do(PutRule({"id": "more", "tool": "nothing", "hide": True}))
    assert talk.got() == []
    wall.edit(RULES)  # loosens, and waits
    assert talk.got() == []
    wall.accept(wall.status.outside_edit)
    assert talk.got() == [note("notifications/tools/list_changed")]


def test_nobody_is_told_who_was_not_promised_it(wall: Wall) -> None:
    talk = Talk(wall)
    assert opened(talk, {"tools": {}}) == {"tools": {}}
    listed(talk)
    wall.do(PutRule({"id": "out", "tool": "count", "hide": True}))
    assert talk.got() == []
    talk.asks(call(1, "count"))
    assert talk.got() == [UNKNOWN]


def test_where_something_is_hidden_the_wall_says_that_tools_may_change(wall_with: Make) -> None:
    wall = wall_with(HIDE)
    talk = Talk(wall)
    assert opened(talk, {"tools": {}, "x": 1}) == {"tools": {"listChanged": True}, "x": 1}
    listed(talk)
    wall.do(PutRule({"id": "more", "tool": "pay", "hide": True}))
    assert talk.got() == [note("notifications/tools/list_changed")]


def test_the_next_engine_knows_who_is_to_be_told(wall_with: Make) -> None:
    wall = wall_with(RULES)
    talk = Talk(wall)
    opened(talk, {"tools": {"listChanged": True}})
    listed(talk)
    wall = wall.killed()
    talk = Talk(wall, after=talk)
    listed(talk)
    wall.do(PutRule({"id": "out", "tool": "count", "hide": True}))
    assert talk.got() == [note("notifications/tools/list_changed")]
    wall.drop()


def test_a_waiting_call_ends_when_its_tool_is_hidden(wall: Wall) -> None:
    talk = wall.session()
    talk.asks(call(1, "pay"))
    assert wall.held
    wall.do(PutRule({"id": "out", "tool": "pay", "hide": True}))
    assert wall.held == []
    assert talk.got()[0]["error"]["message"] == "Unknown tool: pay"


@pytest.mark.parametrize("rest", ["deny", "hide"])
def test_a_server_is_cut_to_the_tools_that_a_rule_names(wall_with: Make, rest: str) -> None:
    wall = wall_with(RULES + f'\n[servers.notes]\ndefault = "{rest}"\n')
    talk = wall.session()
    shown = ["look", "count", "pay", "wipe"] if rest == "deny" else ["count", "pay"]
    assert listed(talk) == shown
    talk.asks(call(1, "look"), call(2, "count"))
    assert [message["id"] for message in talk.forwarded()] == [2]
    (refused,) = talk.got()
    if rest == "deny":
        assert verdict(refused)["cause"] == "default"
        assert "only tools that a rule names" in verdict(refused)["reason"]
    else:
        assert refused["error"]["code"] == -32602
    other = wall.session(server="mail")
    other.asks(call(1, "look"))
    assert [message["id"] for message in other.forwarded()] == [1]
