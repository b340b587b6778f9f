"""Hide, block and recommended rules: one order of the app's each, and what it makes of the file."""

from __future__ import annotations

from typing import Any

import pytest

from mcpwall.engine import views
from mcpwall.engine.port import Done, Refused
from mcpwall.engine.port_rules import Undo
from mcpwall.engine.port_tools import (
    Block,
    Hide,
    Inspect,
    Inspected,
    MatchTools,
    Recommend,
    Recommended,
    ToolRow,
    ToolsMatched,
)
from mcpwall.model import Action
from tests.engine.wall import RULES, Wall, call, request, result, tool

ODD = "b*d [tool]"


def row(wall: Wall, name: str) -> ToolRow:
    (server,) = views.snapshot(wall.engine).servers
    (found,) = (each for each in server.tools if each.name == name)
    return found


def passes(talk: Any, name: str) -> bool:
    talk.asks(call(name, name))
    talk.got()
    return bool(talk.forwarded())


@pytest.mark.parametrize("order", [Hide, Block])
def test_a_tool_is_stopped_by_a_rule_of_its_own_and_let_again(wall: Wall, order: Any) -> None:
    talk = wall.session(tools=[tool(ODD), tool("bXd [tool]")])
    before = wall.config.read_text()
    assert isinstance(wall.do(order("notes", ODD, True)), Done)
    assert not passes(talk, ODD)
    assert passes(talk, "bXd [tool]")
    assert row(wall, ODD).action is Action.DENY
    assert row(wall, ODD).hidden is (order is Hide)
    assert isinstance(wall.do(order("notes", ODD, True)), Refused)
    assert wall.do(order("notes", ODD, False)) in (
        Done("no longer hidden"),
        Done("no longer blocked"),
    )
    assert passes(talk, ODD)
    assert wall.config.read_text() == before
    assert isinstance(wall.do(Undo()), Done)
    assert not passes(talk, ODD)


@pytest.mark.parametrize("name", ["wipe", "look"])
def test_a_rule_for_more_than_the_tool_is_not_taken_out(wall: Wall, name: str) -> None:
    wall.session()
    assert isinstance(wall.do(Block("notes", name, False)), Refused)
    assert isinstance(wall.do(Hide("notes", name, False)), Refused)


def test_recommended_rules_are_shown_before_they_are_put_in(wall: Wall) -> None:
    wall.session()
    before = wall.config.read_text()
    shown = wall.do(Recommend())
    assert isinstance(shown, Recommended)
    assert not shown.applied
    assert [each.fields["tool"] for each in shown.rules] == [["count", "look"], ["wipe"], ["pay"]]
    assert '+id = "recs-notes-read"' in shown.diff
    assert wall.config.read_text() == before
    put = wall.do(Recommend(apply=True))
    assert isinstance(put, Recommended)
    assert put.applied
    assert wall.config.read_text() != before
    assert row(wall, "look").rules == ("recs-notes-read",)
    assert isinstance(wall.do(Recommend("notes", apply=True)), Refused)
    wall.do(Undo())
    assert wall.config.read_text() == before


def test_a_recommended_rule_grows_with_its_server(wall: Wall) -> None:
    wall.session(tools=[tool("read_a")])
    wall.do(Recommend("notes", apply=True))
    wall.session(tools=[tool("read_a"), tool("read_b")])
    wall.do(Recommend("notes", apply=True))
    rules = [each.rule for each in wall.rule_rows() if each.rule.id == "recs-notes-read"]
    assert [rule.tool for rule in rules] == [("read_a", "read_b")]


def test_one_tool_has_a_recommended_rule(wall: Wall) -> None:
    wall.session()
    told = wall.do(Inspect("notes", "wipe"))
    assert isinstance(told, Inspected)
    assert told.recommended is not None
    shown = wall.do(Recommend("notes", "wipe"))
    assert isinstance(shown, Recommended)
    assert shown.rules == (told.recommended,)
    assert isinstance(wall.do(Recommend("notes", "nothing")), Refused)


def test_a_row_says_which_rule_applies(wall: Wall) -> None:
    wall.session()
    said = {name: row(wall, name).applies for name in ("look", "count", "pay", "wipe")}
    assert said == {
        "look": "allow by the default for read tools",
        "count": "allow by the default for read tools; at most 2 in any 60s by cap",
        "pay": "asked by asks",
        "wipe": "denied by never",
    }
    assert row(wall, "wipe").rules == ("never",)


def test_a_row_says_what_depends_on_arguments_and_agents(wall_with: Any) -> None:
    more = (
        '\n[[rules]]\nid = "far"\ntool = "look"\nwhen = { at = "x" }\naction = "deny"\n'
        '\n[[rules]]\nid = "mine"\ntool = "look"\nagent = "codex"\naction = "ask"\n'
        '\n[[rules]]\nid = "yes"\ntool = "pay"\naction = "approve"\n'
    )
    wall = wall_with(RULES + more)
    wall.session()
    assert row(wall, "look").action is Action.ALLOW
    assert "arguments, agents or earlier calls decide for far, mine" in row(wall, "look").applies
    assert (row(wall, "pay").action, row(wall, "pay").rules) == (Action.ALLOW, ("asks", "yes"))


def test_which_tools_a_rule_would_be_about(wall: Wall) -> None:
    assert wall.do(MatchTools({})) == ToolsMatched(0)
    wall.session(tools=[tool("read_a"), tool("read_b"), tool("delete_a"), tool(ODD)])
    wall.session(server="other", tools=[tool("read_a")])

    def about(**fields: Any) -> Any:
        reply = wall.do(MatchTools(fields))
        assert isinstance(reply, ToolsMatched)
        assert reply.known == 5
        return {server: set(names) for server, names in reply.matched.items()}

    assert about(tool="read_*") == {"notes": {"read_a", "read_b"}, "other": {"read_a"}}
    assert about(tool=["*_a", "!delete_*"], server="notes") == {"notes": {"read_a"}}
    assert about(tool="b[*]d [[]tool]") == {"notes": {ODD}}
    assert about(risk="destructive") == {"notes": {"delete_a"}}
    assert about(method="resources/read") == {}
    assert about(tool="nothing") == {}
    assert len(about()["notes"]) == 4


def test_a_tool_that_is_gone_is_not_one_that_a_rule_is_about(wall: Wall) -> None:
    talk = wall.session(tools=[tool("read_a"), tool("read_b")])
    talk.asks(request("again", "tools/list"))
    talk.answers(result("again", tools=[tool("read_b")]))
    assert wall.do(MatchTools({"tool": "read_*"})) == ToolsMatched(1, {"notes": ("read_b",)})


@pytest.mark.parametrize("fields", [{"tool": "[]"}, {"tool": 5}, {"tool": [None]}, {"risk": "bad"}])
def test_keys_that_cannot_be_read_choose_no_tools(wall: Wall, fields: Any) -> None:
    assert isinstance(wall.do(MatchTools(fields)), Refused)
