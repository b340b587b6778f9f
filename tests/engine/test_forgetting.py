"""A server that a person has forgotten is one that was never seen; nobody else can have it so."""

from __future__ import annotations

import asyncio

import pytest

from mcpwall.engine import views
from mcpwall.engine.inventory import AGAIN_S, COUNTS_S
from mcpwall.engine.port import Done, ForgottenEvent, Refused, Reply, ServerEvent
from mcpwall.engine.port_answers import Match, Remember, Scope
from mcpwall.engine.port_servers import ForgetServer
from mcpwall.engine.port_tools import Pin, ServerRow
from mcpwall.store.tools import ToolsError
from tests.engine.wall import Talk, Wall, call, request, result, text, tool, verdict

NEW = {**tool("look"), "title": "Other"}
CLOSED = "the agent closed its end"


def lists(talk: Talk, *tools: dict[str, object]) -> None:
    talk.asks(request("again", "tools/list"))
    talk.answers(result("again", tools=list(tools)))
    talk.got()
    talk.forwarded()


def rows(wall: Wall) -> dict[str, ServerRow]:
    return {row.name: row for row in views.snapshot(wall.engine).servers}


def forget(wall: Wall, server: str = "notes") -> Reply:
    row = rows(wall).get(server)
    return wall.do(ForgetServer(server, row.hash if row else ""))


def known(wall: Wall) -> set[str]:
    """The servers that the next engine would know."""
    tools = {entry.server for entry in wall.tools.tools()}
    return tools | {entry.name for entry in wall.tools.servers()}


def test_nothing_of_a_forgotten_server_is_known_now_nor_to_the_next_engine(wall: Wall) -> None:
    wall.session(server="mail").live.end(CLOSED)
    wall.session().live.end(CLOSED)
    assert forget(wall) == Done("notes is forgotten")
    assert set(rows(wall)) == {"mail"}
    assert known(wall) == {"mail"}
    after = wall.killed()
    assert set(rows(after)) == {"mail"}
    after.drop()


def test_apps_are_told_that_there_is_no_such_server_any_more(wall: Wall) -> None:
    talk = wall.session()
    talk.live.end(CLOSED)
    wall.engine.feed.followers.add(asyncio.Event())  # as if an app was attached
    wall.engine.counts.used(talk.live)  # its last calls or words are to be shown
    before = wall.engine.feed.seq
    forget(wall)
    wall.clock.advance(COUNTS_S)
    told = wall.engine.feed.since(before).events
    assert [event for event in told if isinstance(event, ForgottenEvent | ServerEvent)] == [
        ForgottenEvent("notes")
    ]


def test_p07_no_server_is_forgotten_while_an_agent_has_a_session_with_it(wall: Wall) -> None:
    one, other = wall.session(), wall.session()
    reply = forget(wall)
    assert isinstance(reply, Refused)
    assert reply.text.startswith("an agent has a session with it: let that end")
    one.live.end(CLOSED)
    assert isinstance(forget(wall), Refused)
    lists(other, NEW)
    other.asks(call(1, "look"))
    assert verdict(other.refusal())["cause"] == "unlisted"
    other.live.end(CLOSED)
    assert isinstance(forget(wall), Done)


def test_p08_a_server_that_says_something_else_by_now_is_not_forgotten(wall: Wall) -> None:
    wall.session(tools=[tool("look")]).live.end(CLOSED)
    shown = rows(wall)["notes"].hash
    wall.session(tools=[NEW]).live.end(CLOSED)
    reply = wall.do(ForgetServer("notes", shown))
    assert isinstance(reply, Refused)
    assert "changed since it was shown" in reply.text
    assert known(wall) == {"notes"}


def test_a_server_that_nobody_has_seen_cannot_be_forgotten(wall: Wall) -> None:
    reply = forget(wall, "nobody")
    assert reply == Refused("no server 'nobody' has been seen")


def test_p07_a_forgotten_server_that_comes_back_is_seen_for_the_first_time(wall: Wall) -> None:
    wall.session(tools=[tool("look")]).live.end(CLOSED)
    changed = wall.session(tools=[NEW])
    changed.asks(call(1, "look"))
    assert verdict(changed.refusal())["cause"] == "unlisted"
    changed.live.end(CLOSED)
    forget(wall)
    back = wall.session(tools=[NEW])
    row = rows(wall)["notes"]
    assert row.new
    assert [each.pin for each in row.tools] == [Pin.PINNED]
    assert row.calls == row.tools[0].calls == 0
    back.asks(call(1, "look"))
    assert len(back.forwarded()) == 1
    lists(back, tool("look"))  # what it was pinned as before it was forgotten
    back.asks(call(2, "look"))
    assert verdict(back.refusal())["cause"] == "unlisted"


def test_remembered_answers_for_its_tools_are_forgotten_too(wall: Wall) -> None:
    for server in ("notes", "mail"):
        talk = wall.session(server=server)
        talk.asks(call(1, "pay"))
        (held,) = wall.held
        wall.decide(held, remember=Remember(Scope.QUARTER, Match.TOOL))
        talk.live.end(CLOSED)
    forget(wall)
    back = wall.session()
    back.asks(call(2, "pay"))
    assert len(wall.held) == 1
    assert [row.rule.server for row in wall.rule_rows() if row.remembered] == [("mail",)]


def test_p09_forgetting_refills_no_limit(wall: Wall) -> None:
    talk = wall.session()
    talk.asks(call(1, "count"), call(2, "count"))
    talk.live.end(CLOSED)
    forget(wall)
    back = wall.session()
    back.asks(call(3, "count"))
    assert "cap" in text(back.refusal())


def test_who_had_a_server_forgotten_stands_in_the_record(wall: Wall) -> None:
    wall.session().live.end(CLOSED)
    forget(wall)
    last = list(wall.audit.tool_events())[-1]
    assert (last.server, last.tool, last.what, last.by) == ("notes", "", "forgotten", "person")
    assert wall.audit.verify().problems == ()


def test_what_cannot_be_written_is_not_forgotten(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall.session().live.end(CLOSED)

    def full(_server: str) -> None:
        raise ToolsError("tools.db: disk full")

    monkeypatch.setattr(wall.tools, "forget", full)
    assert forget(wall) == Refused("nothing was forgotten: tools.db: disk full")
    assert set(rows(wall)) == {"notes"}


def test_counts_that_were_to_be_written_bring_nothing_back(wall: Wall) -> None:
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.answers(result(1))
    talk.live.end(CLOSED)
    forget(wall)
    wall.clock.advance(COUNTS_S)
    wall.engine.inventory.write_counts()
    assert known(wall) == set()


def test_a_pin_that_could_not_be_written_at_first_is_not_written_later(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ToolsError("tools.db: disk full")

    monkeypatch.setattr(wall.tools, "save", full)
    wall.session().live.end(CLOSED)
    monkeypatch.undo()
    forget(wall)
    wall.clock.advance(AGAIN_S)
    assert known(wall) == set()


def test_p07_what_a_session_still_hears_after_its_end_brings_nothing_back(wall: Wall) -> None:
    talk = wall.session()
    talk.live.end(CLOSED)
    forget(wall)
    before = wall.engine.feed.seq
    wall.engine.inventory.describe(talk.live.server, talk.live.catalog, "read me")
    wall.engine.counts.used(talk.live)
    assert wall.engine.feed.seq == before
    assert known(wall) == set()
    assert rows(wall) == {}
