"""What became of definitions stands in the record, before and after, chained like every row."""

from __future__ import annotations

import json
from typing import Any

from mcpwall.engine.port_tools import AcceptTool
from mcpwall.store.faults import AuditError
from mcpwall.store.tool_events import ToolEvent
from tests.engine.wall import Wall, request, result, tool

NEW = {**tool("look"), "title": "Other"}


def lists(talk: Any, *tools: dict[str, Any]) -> None:
    talk.asks(request("again", "tools/list"))
    talk.answers(result("again", tools=list(tools)))


def events(wall: Wall) -> list[ToolEvent]:
    return list(wall.audit.tool_events())


def test_p07_a_change_and_who_accepted_it_are_recorded(wall: Wall) -> None:
    talk = wall.session(tools=[tool("look")])
    lists(talk, NEW, tool("more"))
    entry = wall.engine.inventory.servers["notes"].entries["look"]
    wall.do(AcceptTool("notes", "look", entry.listed))
    told = [(each.tool, each.what, each.by) for each in events(wall)]
    assert told == [
        ("", "first seen", ""),
        ("look", "first seen", ""),
        ("look", "changed", ""),
        ("more", "new", ""),
        ("look", "accepted", "person"),
    ]
    first, changed, accepted = (each for each in events(wall) if each.tool == "look")
    assert (first.before, json.loads(first.after)) == ("", tool("look"))
    assert (json.loads(changed.before), json.loads(changed.after)) == (tool("look"), NEW)
    assert (accepted.before, accepted.after) == (changed.before, changed.after)
    assert [each for each in events(wall) if each.server == "mail"] == []


def test_p19_events_are_chained_with_the_calls_around_them(wall: Wall) -> None:
    talk = wall.session(tools=[tool("look")])
    talk.asks({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "look"}})
    talk.answers(result(1))
    lists(talk, NEW)
    wall.intake.file()
    report = wall.audit.verify()
    assert report.problems == ()
    assert report.rows == 5
    wall.audit._db.execute("UPDATE tool_events SET after = before WHERE what = 'changed'")
    assert wall.audit.verify().problems == ("tool event 5: changed, or moved from another place",)


def test_what_waits_to_be_filed_is_not_lost_when_an_event_comes(wall: Wall) -> None:
    talk = wall.session(tools=[tool("look")])
    for number in range(3):
        talk.asks({"jsonrpc": "2.0", "id": number, "method": "tools/call",
                   "params": {"name": "look"}})  # fmt: skip
    lists(talk, NEW)
    wall = wall.killed()
    assert wall.audit.last_id() == 3
    assert [each.what for each in events(wall)][-1] == "changed"
    assert wall.audit.verify().problems == ()
    wall.session(tools=[tool("look")])
    assert wall.audit.verify().problems == ()
    wall.drop()


def test_events_that_cannot_be_recorded_are_recorded_later(wall: Wall, monkeypatch: Any) -> None:
    def full(_: Any) -> None:
        raise AuditError("no room", "audit.db", "make room")

    talk = wall.session(tools=[tool("look")])
    with monkeypatch.context() as patch:
        patch.setattr(wall.audit, "note_tools", full)
        lists(talk, NEW)
        assert [each.what for each in events(wall)] == ["first seen", "first seen"]
    wall.clock.advance(1)
    assert [each.what for each in events(wall)][-1] == "changed"


def test_p13_a_definition_that_is_very_large_is_recorded_without_its_text(wall: Wall) -> None:
    talk = wall.session(tools=[tool("look")])
    lists(talk, {**NEW, "description": "x" * 100_000})
    last = events(wall)[-1]
    assert (last.what, last.after) == ("changed", "")
