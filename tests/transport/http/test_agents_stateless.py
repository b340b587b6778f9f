"""Agents by HTTP of the stateless era: one POST is one request, and its headers equal its body."""

from __future__ import annotations

import json

import pytest

from mcpwall.engine.port_calls import State
from mcpwall.transport.http import headers
from tests.engine.wall import call, note, request, result, verdict
from tests.transport.http.agent import STATELESS, Desk, desk


@pytest.fixture
def at(tmp_path) -> Desk:
    return desk(tmp_path)


def listed(at: Desk, name: str = "codex"):
    """A client whose server has told its tools already."""
    client = at.stateless(name)
    answer = client.asks(call("warm", "look"))
    client.lists()
    at.end.forwarded()
    at.end.answers(result("warm", content=[]))
    assert answer.json()["id"] == "warm"
    return client


def test_a_call_without_a_handshake(at):
    client = listed(at)
    answer = client.asks(call(1, "look", {"a": 1}))
    (forwarded,) = at.end.forwarded()
    assert forwarded["params"]["arguments"] == {"a": 1}
    at.end.answers(result(1, content=[], resultType="complete"))
    assert answer.json()["result"]["resultType"] == "complete"
    assert "mcp-session-id" not in answer.headers


def test_a_refusal_is_a_complete_result(at):
    answer = listed(at).asks(call(1, "wipe")).json()
    assert answer["result"]["resultType"] == "complete"
    assert verdict(answer)["rules"] == ["never"]


def test_clients_of_one_name_share_a_server_until_their_ids_collide(at):
    client = listed(at)
    one = client.asks(call(1, "look"))
    other = client.asks(call(2, "look"))
    assert len(at.ends) == 1
    twin = client.asks(call(1, "look"))
    assert len(at.ends) == 2
    client.lists()
    assert [row.agent for row in at.wall.rows()][-3:] == ["codex#1", "codex#1", "codex#2"]
    at.ends[1].answers(result(1, content=["twin"]))
    at.ends[0].answers(result(2, content=["other"]), result(1, content=["one"]))
    assert one.json()["result"]["content"] == ["one"]
    assert other.json()["result"]["content"] == ["other"]
    assert twin.json()["result"]["content"] == ["twin"]


def test_clients_whose_progress_tokens_collide_are_kept_apart(at):
    client = listed(at)
    client.asks(call(1, "look", progressToken="t"))
    client.asks(call(2, "look", progressToken="t"))
    assert len(at.ends) == 2


def test_clients_of_another_name_have_a_server_of_their_own(at):
    listed(at)
    listed(at, "gemini-cli")
    assert len(at.ends) == 2


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (call(1, "look"), {"mcp_name": "wipe"}),
        (call(1, "look"), {"mcp_name": "Look"}),
        (call(1, "look"), {"mcp_method": "tools/list"}),
        (call(1, "look"), {"mcp_method": ""}),
        (call(1, "look"), {"mcp_protocol_version": "2026-07-29"}),
        (call(1, "look"), {"mcp_name": "=?base64?d2lwZQ==?="}),
        (call(1, "look"), {"mcp_name": "=?base64?!?="}),
        (request(1, "resources/read", {"uri": "file:///a"}), {"mcp_name": "file:///b"}),
        (request(1, "tools/list"), {"mcp_method": "tools/call"}),
    ],
)
def test_p16_headers_that_do_not_equal_the_body_are_refused_before_anything_is_judged(
    at, message, sent
):
    answer = at.stateless().asks(message, **sent)
    error = answer.json(400)
    assert (error["id"], error["error"]["code"]) == (1, -32020)
    assert at.ends == []
    assert at.wall.rows() == []


def test_a_missing_header_is_a_mismatch(at):
    body = json.dumps(at.stateless().message(call(1, "look"))).encode()
    version = {"mcp_protocol_version": STATELESS}
    for sent in (version, {**version, "mcp_method": "tools/call"}, {"mcp_method": "tools/call"}):
        assert at.send("POST", body, **sent).json(400)["error"]["code"] == -32020


def test_a_name_in_base64_is_decoded_before_it_is_compared(at):
    answer = listed(at).asks(call(1, "look"), mcp_name="=?base64?bG9vaw==?=")
    assert len(at.end.forwarded()) == 1
    assert not answer.over


def test_a_request_without_the_era_s_meta_is_invalid(at):
    sent = {"mcp_protocol_version": STATELESS, "mcp_method": "tools/list"}
    answer = at.send("POST", json.dumps(request(1, "tools/list")).encode(), **sent)
    assert answer.json(400)["error"]["code"] == -32602


def test_this_era_has_no_sessions_batches_or_answers(at):
    version = {"mcp_protocol_version": STATELESS}
    assert at.send("GET", **version).status == 405
    assert at.send("DELETE", **version).status == 405
    batch = json.dumps([at.stateless().message(call(1, "look"))]).encode()
    assert at.send("POST", batch, mcp_method="tools/call", **version).status == 400
    answer = json.dumps(result(1)).encode()
    assert at.send("POST", answer, mcp_method="tools/call", **version).status == 400
    assert at.ends == []


def test_a_notification_is_taken_and_goes_nowhere(at):
    client = listed(at)
    client.asks(call(1, "look"))
    at.end.forwarded()
    assert client.asks(note("notifications/cancelled", {"requestId": 1})).status == 202
    assert at.end.forwarded() == []
    assert at.wall.rows()[-1].state is State.RUNNING


def test_closing_the_connection_is_the_cancel(at):
    client = listed(at)
    answer = client.asks(call(1, "look"))
    at.end.forwarded()
    answer.breaks()
    (cancelled,) = at.end.forwarded()
    assert cancelled["method"] == "notifications/cancelled"
    assert cancelled["params"]["requestId"] == 1
    assert at.wall.rows()[-1].state is State.WITHDRAWN


def test_closing_the_connection_withdraws_a_held_call(at):
    client = listed(at)
    client.asks(call(1, "pay")).breaks()
    assert at.wall.held == []
    assert at.end.forwarded() == []


def test_an_unknown_method_is_404(at):
    client = at.stateless()
    answer = client.asks(request(1, "server/discover"))
    at.end.answers(
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "Method not found"}}
    )
    assert answer.json(404)["error"]["code"] == -32601


def test_the_handshake_is_no_method_of_this_era(at):
    answer = at.stateless().asks(request(1, "initialize"))
    assert answer.json(404)["error"]["code"] == -32601
    assert at.ends == []


def test_what_names_no_resource_is_the_server_s_to_refuse(at):
    client = at.stateless()
    answer = client.asks(request(1, "resources/subscribe"))
    at.end.answers(
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "Method not found"}}
    )
    assert answer.json(404)["error"]["code"] == -32601
    for broken in (7, ["note://one"], None):
        answer = client.asks(request(1, "resources/subscribe", {"uri": broken}))
        assert answer.json(400)["error"]["code"] == -32602


@pytest.mark.parametrize("wanted", [{}, {"resourceSubscriptions": ["note://one"]}])
def test_a_subscription_streams_its_messages_until_it_is_closed(at, wanted):
    client = listed(at)
    answer = client.asks(request(5, "subscriptions/listen", {"notifications": wanted}))
    meta = {"io.modelcontextprotocol/subscriptionId": 5}
    ack = note("notifications/subscriptions/acknowledged", {"_meta": meta})
    changed = note("notifications/resources/list_changed", {"_meta": meta})
    at.end.answers(ack)
    other = client.asks(call(6, "look"))
    at.end.answers(changed, result(6, content=[]))
    assert answer.messages() == [ack, changed]
    assert other.json() == result(6, content=[])
    at.end.forwarded()
    answer.breaks()
    assert at.end.forwarded()[0]["params"]["requestId"] == 5


def test_a_subscription_that_a_rule_refuses_is_an_error(at):
    client = listed(at)
    at.end.forwarded()
    at.wall.edit(
        at.wall.config.read_text() + '[[rules]]\nmethod = "resources/subscribe"\naction = "deny"\n'
    )
    wanted = {"notifications": {"resourceSubscriptions": ["note://one"]}}
    answer = client.asks(request(5, "subscriptions/listen", wanted))
    assert "note://one" in answer.json(200)["error"]["message"]
    assert at.end.forwarded() == []


def test_an_idle_server_is_ended(at):
    listed(at)
    at.wall.clock.advance(400)
    assert at.end.closed


@pytest.mark.parametrize("text", ["look", "größe", " padded ", "a\nb", "=?base64?x?=", ""])
def test_a_text_survives_as_a_header(text):
    header = headers.encoded(text)
    assert header.isascii()
    assert header.isprintable()
    assert header == header.strip()
    assert headers.decoded(header) == text
