"""Agents by HTTP that open with a handshake: sessions, streams, and the judge on every path."""

from __future__ import annotations

import json

import pytest

from mcpwall.engine.port_calls import State
from mcpwall.transport.http.session import KEEP_EACH, KEEP_MAX
from tests.engine.wall import RULES, call, note, request, result, verdict
from tests.transport.http.agent import VERSION, Agent, Desk, desk


@pytest.fixture
def at(tmp_path) -> Desk:
    return desk(tmp_path)


# --- sessions -----------------------------------------------------------------------------------


def test_a_call_goes_to_the_server_and_its_answer_back_as_json(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look", {"a": 1}))
    assert agent.end.forwarded() == [call(1, "look", {"a": 1})]
    assert not answer.status
    agent.end.answers(result(1, content=[]))
    assert answer.json() == result(1, content=[])
    assert at.wall.rows()[-1].state is State.DONE


def test_each_session_has_a_server_of_its_own(at):
    one, two = at.agent(), at.agent()
    assert one.end is not two.end
    first, second = one.asks(call(1, "look")), two.asks(call(1, "look"))
    two.end.answers(result(1, content=["two"]))
    one.end.answers(result(1, content=["one"]))
    assert first.json()["result"]["content"] == ["one"]
    assert second.json()["result"]["content"] == ["two"]
    assert {row.agent for row in at.wall.rows()} == {"claude-code#1", "claude-code#2"}


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_a_session_that_is_not_there_is_404_so_that_the_client_begins_again(at, method):
    body = json.dumps(call(1, "look")).encode() if method == "POST" else b""
    assert at.send(method, body, mcp_session_id="gone").status == 404
    assert at.ends == []


def test_a_request_without_a_session_must_be_initialize(at):
    answer = at.send("POST", json.dumps(call(1, "look")).encode())
    assert answer.json(400)["error"]["code"] == -32600
    assert at.send("GET").status == 400


def test_a_session_belongs_to_its_server(at):
    agent = at.agent()
    body = json.dumps(call(1, "look")).encode()
    assert at.send("POST", body, "/s/other/mcp", **agent.sent).status == 404
    assert agent.end.forwarded() == []


@pytest.mark.parametrize("path", ["/s/unknown/mcp", "/s/notes%2Fx/mcp", "/s/../mcp", "/s/notes"])
def test_nothing_but_a_configured_name_starts_anything(at, path):
    assert "there is no server" in at.send("POST", b"{}", path).json(404)["error"]["message"]
    assert at.ends == []


def test_a_version_that_nobody_speaks_is_refused(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"), mcp_protocol_version="1999-01-01")
    assert answer.status == 400
    assert agent.end.forwarded() == []


def test_the_end_of_a_session_ends_its_server(at):
    agent = at.agent()
    waiting = agent.asks(call(1, "look"))
    assert agent.leaves().status == 200
    assert agent.end.closed
    assert waiting.over
    assert agent.asks(call(2, "look")).status == 404
    assert at.wall.rows()[-1].state is State.LOST


def test_what_a_server_says_after_the_end_of_its_session_is_heard_by_nobody(at):
    agent = at.agent()
    agent.end.answers(note("notifications/tools/list_changed"))
    agent.asks(call(1, "look"))
    (question,) = agent.end.forwarded()
    assert question["method"] == "tools/list"
    agent.leaves()
    before = at.wall.engine.feed.seq
    agent.end.answers(result(question["id"], tools=[]))
    agent.end.answers(note("notifications/tools/list_changed"))
    assert at.wall.engine.feed.since(before).events == ()


def test_a_server_that_ends_says_so_to_who_waits(at):
    agent = at.agent()
    waiting = agent.asks(call(1, "look"))
    agent.end.session.end("the server exited with code 3", "the server exited with code 3")
    assert "code 3" in waiting.json()["error"]["message"]
    assert agent.asks(call(2, "look")).status == 404


def test_a_server_that_cannot_be_started_is_an_error(at):
    at.fault = FileNotFoundError(2, "No such file or directory")
    hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "x"}}
    answer = at.send("POST", json.dumps(request(1, "initialize", hello)).encode())
    assert "No such file" in answer.json()["error"]["message"]
    at.fault = None
    at.agent()


def test_an_idle_session_ends_and_one_that_listens_does_not(at):
    idle, listens = at.agent(), at.agent()
    listens.listens()
    at.wall.clock.advance(3_700)
    assert idle.end.closed
    assert not listens.end.closed
    assert idle.asks(call(1, "look")).status == 404


# --- the judge ----------------------------------------------------------------------------------


def test_a_denied_call_is_answered_by_the_wall(at):
    agent = at.agent()
    answer = agent.asks(call(1, "wipe")).json()
    assert verdict(answer)["rules"] == ["never"]
    assert agent.end.forwarded() == []


def test_p08_a_held_call_streams_at_once_and_goes_when_it_is_allowed(at):
    agent = at.agent()
    answer = agent.asks(call(1, "pay", {"amount": 5}, progressToken="t"))
    assert answer.streams
    assert not answer.over
    assert agent.end.forwarded() == []
    at.wall.clock.advance(15.5)
    progress = answer.messages()
    assert [each["params"]["progressToken"] for each in progress] == ["t"]
    at.wall.clock.advance(15)
    assert answer.comments() == 1
    (held,) = at.wall.held
    at.wall.decide(held)
    (forwarded,) = agent.end.forwarded()
    assert forwarded["params"]["arguments"] == {"amount": 5}
    agent.end.answers(result(1, content=[]))
    assert answer.messages() == [result(1, content=[])]
    assert answer.over


def test_p08_a_broken_connection_withdraws_a_held_call(at):
    agent = at.agent()
    answer = agent.asks(call(1, "pay", {"amount": 5}))
    answer.breaks()
    assert at.wall.held == []
    assert at.wall.rows()[-1].state is State.WITHDRAWN
    assert agent.end.forwarded() == []


def test_a_batch_is_judged_part_by_part_in_the_version_that_has_batches(at):
    agent = at.agent("2025-03-26")
    answer = agent.asks(call(1, "look"), call(2, "wipe"), note("notifications/roots/list_changed"))
    assert [each.get("id") for each in agent.end.forwarded()] == [1, None]
    (refused,) = answer.messages()
    assert refused["id"] == 2
    assert refused["result"]["isError"]
    assert not answer.over
    agent.end.answers(result(1, content=[]))
    assert answer.messages() == [result(1, content=[])]
    assert answer.over


def test_a_batch_that_is_answered_at_once_is_answered_with_a_batch(at):
    agent = at.agent("2025-03-26")
    agent.end.answers()
    answers = agent.asks(call(1, "wipe"), call(2, "wipe")).json()
    assert [each["id"] for each in answers] == [1, 2]


def test_a_batch_is_refused_in_every_other_version(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"), call(2, "wipe"))
    assert answer.json(400)["error"]["code"] == -32600
    assert agent.end.forwarded() == []


@pytest.mark.parametrize("body", [b"{", b'{"jsonrpc":"2.0","id":null,"method":"ping"}', b"\xff"])
def test_what_is_no_message_is_400(at, body):
    agent = at.agent()
    answer = at.send("POST", body, **agent.sent)
    assert answer.json(400)["error"]
    assert agent.end.forwarded() == []


def test_an_id_in_use_is_refused_and_the_first_request_answered(at):
    agent = at.agent()
    first, second = agent.asks(call(1, "look")), agent.asks(call(1, "look"))
    assert second.json(400)["error"]["code"] == -32600
    agent.end.answers(result(1, content=[]))
    assert first.json() == result(1, content=[])


# --- streams ------------------------------------------------------------------------------------


def test_progress_goes_to_the_request_that_gave_its_token(at):
    agent = at.agent()
    one = agent.asks(call(1, "look", progressToken="a"))
    two = agent.asks(call(2, "look", progressToken="b"))
    agent.end.answers(note("notifications/progress", {"progressToken": "a", "progress": 1}))
    assert not two.status
    assert one.streams
    agent.end.answers(result(2, content=[]), result(1, content=[]))
    assert [each.get("id") for each in one.messages()] == [None, 1]
    assert two.json() == result(2, content=[])


def test_a_question_of_the_server_goes_with_the_request_under_way(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    question = request(7, "elicitation/create", {"message": "?"})
    agent.end.answers(question)
    assert answer.messages() == [question]
    agent.end.forwarded()
    reply = agent.asks(result(7, action="accept"))
    assert (reply.status, reply.body) == (202, b"")
    assert agent.end.forwarded() == [result(7, action="accept")]
    agent.end.answers(result(1, content=[]))
    assert answer.over


def test_what_belongs_to_no_request_waits_for_a_listener(at):
    agent = at.agent()
    changed = note("notifications/resources/list_changed")
    agent.end.answers(changed)
    listener = agent.listens()
    assert listener.messages() == [changed]
    agent.end.answers(changed)
    assert listener.messages() == [changed]
    again = agent.listens()
    assert listener.over
    assert again.messages() == []
    agent.end.answers(changed)
    assert again.messages() == [changed]


def test_an_agent_comes_back_for_the_rest_of_a_broken_stream(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look", progressToken="a"))
    agent.end.answers(note("notifications/progress", {"progressToken": "a", "progress": 1}))
    prime, first = answer.events()
    assert prime.data == b""
    answer.breaks()
    assert at.wall.rows()[-1].state is State.RUNNING  # a lost connection is no cancel
    agent.end.answers(result(1, content=[]))
    assert at.wall.rows()[-1].state is State.DONE
    rest = agent.listens(first.id)
    assert rest.messages() == [result(1, content=[])]
    assert rest.over
    whole = agent.listens(prime.id)
    assert [each.get("id") for each in whole.messages()] == [None, 1]


def test_an_agent_comes_back_before_the_answer(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look", progressToken="a"))
    agent.end.answers(note("notifications/progress", {"progressToken": "a", "progress": 1}))
    last = answer.events()[-1]
    answer.breaks()
    rest = agent.listens(last.id)
    assert rest.streams
    assert not rest.over
    agent.end.answers(result(1, content=[]))
    assert rest.messages() == [result(1, content=[])]
    assert rest.over


def test_nobody_comes_back_to_an_answer_that_has_not_begun(at):
    agent = at.agent()
    waiting = agent.asks(call(1, "look"))
    assert {agent.listens(f"{number}-0").status for number in range(1, 9)} == {404}
    agent.end.answers(result(1, content=[]))
    assert waiting.json() == result(1, content=[])


def test_a_stream_that_nobody_came_back_for_is_forgotten(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look", progressToken="a"))
    agent.end.answers(note("notifications/progress", {"progressToken": "a", "progress": 1}))
    prime = answer.events()[0]
    agent.end.answers(result(1, content=[]))
    at.wall.clock.advance(400)
    agent.asks(call(2, "look"))
    agent.end.answers(result(2, content=[]))
    assert agent.listens(prime.id).status == 404


def test_p13_however_little_streams_have_sent_not_all_are_kept(at):
    agent = at.agent()
    first = ""
    for number in range(KEEP_MAX // KEEP_EACH + 1):
        answer = agent.asks(call(number, "look", progressToken="a"))
        progress = note("notifications/progress", {"progressToken": "a", "progress": 1})
        agent.end.answers(progress, result(number))
        last = answer.events()[-1].id
        first = first or last
    assert agent.listens(last).status == 200
    assert agent.listens(first).status == 404


def test_older_versions_get_no_event_without_data(at):
    agent = at.agent("2025-06-18")
    answer = agent.asks(call(1, "pay"))
    assert answer.streams
    assert answer.events() == []


def test_a_silent_answer_becomes_a_stream_with_signs_of_life(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    at.wall.clock.advance(16)
    assert answer.streams
    assert answer.comments() == 1
    agent.end.answers(result(1, content=[]))
    assert answer.messages() == [result(1, content=[])]


def test_a_cancelled_request_s_stream_ends_without_an_answer(at):
    agent = at.agent()
    answer = agent.asks(call(1, "pay"))
    assert agent.asks(note("notifications/cancelled", {"requestId": 1})).status == 202
    assert answer.over
    assert answer.messages() == []
    assert agent.end.forwarded() == []
    assert at.wall.rows()[-1].state is State.WITHDRAWN


def test_a_reader_that_takes_no_more_stops_its_server_alone(at):
    slow, quick = at.agent(), at.agent()
    answer = slow.asks(call(1, "look"))
    answer.on_full(True)
    assert slow.end.paused
    assert not quick.end.paused
    answer.on_full(False)
    assert not slow.end.paused


def test_a_slow_reader_that_goes_away_stops_nobody(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    answer.on_full(True)
    answer.breaks()
    assert not agent.end.paused


def test_a_server_that_takes_no_more_is_503(at):
    agent = at.agent()
    agent.end.full = True
    assert agent.asks(call(1, "look")).status == 503


def test_p01_no_call_reaches_the_server_when_the_audit_cannot_be_written(tmp_path):
    at = desk(tmp_path, RULES)
    agent = at.agent()
    at.wall.disk.fill()
    answer = agent.asks(call(1, "look"))
    assert answer.json()["result"]["isError"]
    assert agent.end.forwarded() == []


def test_agents_of_different_names_are_never_one_to_rules_on_earlier_calls(at):
    first = at.agent()
    other = Agent(at, VERSION, "gemini-cli")
    other.open()
    for agent in (first, other):
        agent.asks(call(1, "look"))
    assert len({record.call.run for record in at.wall.engine.records}) == 2
