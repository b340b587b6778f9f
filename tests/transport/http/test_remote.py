"""Agents by HTTP in front of remote servers: one POST is one POST, and nothing goes unjudged."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from mcpwall.engine.port_calls import State
from mcpwall.model import JsonObject
from mcpwall.transport.http.agents import Agents
from mcpwall.transport.http.ears import Ear
from mcpwall.transport.http.remote import Fault, Receiver, Trouble
from mcpwall.transport.http.remote_end import RemoteEnd
from mcpwall.transport.http.resume import Resumption
from mcpwall.transport.http.session import HttpSession
from mcpwall.transport.http.sse import Event
from tests.engine.wall import RULES, Wall, call, note, request, result, tool
from tests.transport.http.agent import STATELESS, VERSION, Agent, Desk, Modern

FAR = '\n[servers.notes]\nurl = "https://far.example/mcp"\n'
TOOLS = [tool("look"), tool("pay", amount={}), tool("wipe")]


@dataclass
class Sent:
    """One request that has gone upstream, and the server's hand on its answer."""

    method: str
    body: bytes | None
    headers: dict[str, str]
    receiver: Receiver
    closed: bool = False
    paused: bool = False

    @property
    def message(self) -> JsonObject:
        assert self.body is not None
        return json.loads(self.body)

    def close(self) -> None:
        self.closed = True

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def json(self, message: JsonObject, **headers: str) -> None:
        """A whole answer."""
        self.receiver.started(200, headers, False)
        self.receiver.event(Event(json.dumps(message).encode()))
        self.receiver.ended(None)

    def accepts(self) -> None:
        self.receiver.started(202, {}, False)
        self.receiver.ended(None)

    def streams(self) -> None:
        self.receiver.started(200, {}, True)

    def event(self, message: JsonObject | None, **fields: Any) -> None:
        data = b"" if message is None else json.dumps(message).encode()
        self.receiver.event(Event(data, **fields))

    def ends(self, fault: Fault | None = None) -> None:
        self.receiver.ended(fault)


@dataclass
class FakeUpstream:
    sent: list[Sent] = field(default_factory=list)
    closed: bool = False

    def send(self, method: str, body: bytes | None, headers: Any, receiver: Receiver) -> Sent:
        self.sent.append(Sent(method, body, dict(headers), receiver))
        return self.sent[-1]

    def close(self) -> None:
        self.closed = True

    def next(self) -> Sent:
        """The oldest request not yet looked at."""
        return self.sent.pop(0)


class Far(Desk):
    def __init__(self, wall: Wall) -> None:
        self.wall = wall
        self.agents = Agents(wall.engine, self._reach)

    def _reach(self, session: HttpSession, name: str, server: Any) -> RemoteEnd:
        self.upstream = FakeUpstream()
        return RemoteEnd(self.wall.clock, self.upstream, session)

    def agent(self, version: str = VERSION, name: str = "claude-code") -> FarAgent:
        agent = FarAgent(self, version, name)
        agent.open()
        return agent


class FarAgent(Agent):
    def open(self, session: str = "theirs") -> None:
        info = {"name": self._name, "version": "1"}
        hello = {"protocolVersion": self._version, "capabilities": {}, "clientInfo": info}
        opened = self.asks(request("init", "initialize", hello))
        self.upstream = self.desk.upstream
        first = self.upstream.next()
        assert "Mcp-Session-Id" not in first.headers
        first.json(
            result("init", protocolVersion=self._version, capabilities={}, serverInfo=info),
            **{"mcp-session-id": session} if session else {},
        )
        self.sent["mcp_session_id"] = opened.headers["mcp-session-id"]
        assert opened.json()["id"] == "init"
        ready = self.asks(note("notifications/initialized"))
        assert not ready.status  # not before the server has taken it
        self.upstream.next().accepts()
        assert ready.status == 202
        listed = self.asks(request("list", "tools/list"))
        self.upstream.next().json(result("list", tools=TOOLS))
        assert listed.over


@pytest.fixture
def at(tmp_path) -> Far:
    return Far(Wall(tmp_path, RULES + FAR))


# --- handshake era ------------------------------------------------------------------------------


def test_one_post_is_one_post_and_json_stays_json(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look", {"a": 1}))
    sent = agent.upstream.next()
    assert sent.message == call(1, "look", {"a": 1})
    assert sent.headers == {"MCP-Protocol-Version": VERSION, "Mcp-Session-Id": "theirs"}
    sent.json(result(1, content=[]))
    assert answer.json() == result(1, content=[])
    assert at.wall.rows()[-1].state is State.DONE


def test_the_agent_s_session_is_not_the_server_s(at):
    agent = at.agent()
    assert agent.sent["mcp_session_id"] != "theirs"
    assert len(agent.sent["mcp_session_id"]) > 20


def test_a_server_without_sessions_gets_none(at):
    agent = FarAgent(at, VERSION, "claude-code")
    agent.open(session="")
    agent.asks(call(1, "look"))
    assert agent.upstream.next().headers == {"MCP-Protocol-Version": VERSION}


def test_the_agent_s_own_headers_never_go_on(at):
    agent = at.agent()
    agent.asks(call(1, "look"), authorization="Bearer mine", cookie="c=1", x_api_key="k")
    assert agent.upstream.next().headers.keys() == {"MCP-Protocol-Version", "Mcp-Session-Id"}


def test_a_stream_stays_a_stream_with_the_server_s_ids(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look", progressToken="t"))
    sent = agent.upstream.next()
    sent.streams()
    assert answer.streams
    sent.event(None, id="e0", retry=500)
    sent.event(note("notifications/progress", {"progressToken": "t", "progress": 1}), id="e1")
    sent.event(result(1, content=[]), id="e2")
    sent.ends()
    events = answer.events()
    assert [(event.id, event.retry) for event in events] == [
        ("e0", 500),
        ("e1", None),
        ("e2", None),
    ]
    assert answer.over


def test_p01_a_refused_call_is_never_sent(at):
    agent = at.agent()
    assert agent.asks(call(1, "wipe")).json()["result"]["isError"]
    assert agent.upstream.sent == []


def test_a_held_call_is_sent_when_it_is_allowed_and_its_answer_is_an_event(at):
    agent = at.agent()
    answer = agent.asks(call(1, "pay", {"amount": 1}))
    assert answer.streams
    assert agent.upstream.sent == []
    (held,) = at.wall.held
    at.wall.decide(held)
    agent.upstream.next().json(result(1, content=[]))
    assert answer.messages() == [result(1, content=[])]
    assert answer.over


def test_a_question_of_the_server_s_comes_on_the_stream_it_was_sent_on(at):
    agent = at.agent()
    one, two = agent.asks(call(1, "look")), agent.asks(call(2, "look"))
    first = agent.upstream.next()
    first.streams()
    question = request(9, "elicitation/create", {"message": "?"})
    first.event(question)
    assert one.messages() == [question]
    assert not two.status
    agent.upstream.next()
    reply = agent.asks(result(9, action="accept"))
    sent = agent.upstream.next()
    assert sent.message == result(9, action="accept")
    sent.accepts()
    assert reply.status == 202


def test_an_agent_listens_to_the_server_s_own_stream(at):
    agent = at.agent()
    listener = agent.listens("e7")
    sent = agent.upstream.next()
    assert (sent.method, sent.headers["Last-Event-ID"]) == ("GET", "e7")
    assert not listener.status
    sent.streams()
    changed = note("notifications/resources/list_changed")
    sent.event(changed, id="e8")
    (event,) = listener.events()
    assert (event.id, json.loads(event.data)) == ("e8", changed)
    sent.ends()
    assert listener.over


def test_a_question_that_waited_for_a_person_goes_to_who_listens(tmp_path):
    rule = '[[rules]]\nid = "talk"\nmethod = "sampling/createMessage"\naction = "ask"\n'
    at = Far(Wall(tmp_path, f"{RULES}{FAR}\n{rule}"))
    agent = at.agent()
    listener = agent.listens()
    sent = agent.upstream.next()
    sent.streams()
    question = request("q", "sampling/createMessage", {"messages": []})
    sent.event(question, id="e1")
    assert listener.messages() == []
    at.wall.decide(at.wall.held[0])
    assert listener.messages() == [question]
    answered = agent.asks(result("q", model="m"))
    agent.upstream.next().accepts()
    assert answered.status == 202


def test_a_question_that_is_denied_is_answered_to_the_server(tmp_path):
    rule = '[[rules]]\nid = "talk"\nmethod = "sampling/createMessage"\naction = "deny"\n'
    at = Far(Wall(tmp_path, f"{RULES}{FAR}\n{rule}"))
    agent = at.agent()
    listener = agent.listens()
    sent = agent.upstream.next()
    sent.streams()
    sent.event(request("q", "sampling/createMessage", {"messages": []}))
    assert listener.messages() == []
    refused = agent.upstream.next()
    assert (refused.message["id"], refused.message["error"]["code"]) == ("q", -1)
    refused.accepts()


def test_a_server_without_a_stream_of_its_own_is_405(at):
    agent = at.agent()
    listener = agent.listens()
    agent.upstream.next().ends(Fault(Trouble.METHOD, "no", status=405))
    assert listener.status == 405


def test_a_listener_that_goes_away_is_not_listened_for(at):
    agent = at.agent()
    listener = agent.listens()
    sent = agent.upstream.next()
    sent.streams()
    listener.breaks()
    assert sent.closed


def test_an_answer_on_a_resumed_stream_is_matched_and_recorded(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    sent = agent.upstream.next()
    sent.streams()
    sent.event(None, id="e0", retry=10)
    sent.ends()  # come back for the answer
    assert answer.over
    assert at.wall.rows()[-1].state is State.RUNNING
    rest = agent.listens("e0")
    again = agent.upstream.next()
    again.streams()
    again.event(result(1, content=[]), id="e1")
    assert rest.messages() == [result(1, content=[])]
    assert at.wall.rows()[-1].state is State.DONE


def test_a_broken_connection_is_no_cancel_and_the_server_is_come_back_to(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    sent = agent.upstream.next()
    sent.streams()
    sent.event(None, id="e0")
    answer.breaks()
    assert sent.closed
    rest = agent.listens("e0")
    again = agent.upstream.next()
    again.streams()
    again.event(result(1, content=[]))
    assert rest.messages() == [result(1, content=[])]


def test_a_broken_connection_without_ids_lets_the_call_end(at):
    agent = at.agent()
    agent.asks(call(1, "look")).breaks()
    agent.upstream.next().json(result(1, content=[]))
    assert at.wall.rows()[-1].state is State.DONE


def test_a_stream_that_ends_without_its_answer_is_an_error(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    sent = agent.upstream.next()
    sent.streams()
    sent.ends()
    (error,) = answer.messages()
    assert "may have run" in error["error"]["message"]
    assert at.wall.rows()[-1].state is State.LOST


def test_a_session_that_the_server_has_forgotten_is_404(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    agent.upstream.next().ends(Fault(Trouble.GONE, "gone", status=404))
    assert answer.json(404)["error"]["message"]
    assert agent.asks(call(2, "look")).status == 404
    assert agent.upstream.sent == []  # and no DELETE for what is gone


def test_a_notification_to_a_forgotten_session_is_404(at):
    agent = at.agent()
    answer = agent.asks(note("notifications/roots/list_changed"))
    agent.upstream.next().ends(Fault(Trouble.GONE, "gone", status=404))
    assert answer.status == 404
    assert agent.asks(call(2, "look")).status == 404


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault(Trouble.UNREACHABLE, "far cannot be reached"), State.ERROR),
        (Fault(Trouble.LOGIN, "far wants mcpwall login", status=401), State.ERROR),
        (Fault(Trouble.BROKEN, "far is broken", may_have_run=True, status=503), State.LOST),
        (Fault(Trouble.CUT, "far broke off", may_have_run=True), State.LOST),
    ],
)
def test_a_fault_is_an_error_that_says_so(at, fault, state):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    agent.upstream.next().ends(fault)
    assert fault.text in answer.json()["error"]["message"]
    assert at.wall.rows()[-1].state is state
    assert not agent.asks(call(2, "look")).status  # the session goes on


def test_the_server_s_own_error_in_a_refusal_goes_on(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    body = b'{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Bad"}}'
    agent.upstream.next().ends(Fault(Trouble.REFUSED, "far refuses", status=400, body=body))
    assert answer.json(400) == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32600, "message": "Bad"},
    }


def test_the_end_of_a_session_is_told_to_the_server(at):
    agent = at.agent()
    assert agent.leaves().status == 200
    sent = agent.upstream.next()
    assert (sent.method, sent.headers["Mcp-Session-Id"]) == ("DELETE", "theirs")
    assert not agent.upstream.closed
    sent.ends()
    assert agent.upstream.closed


def test_a_cancelled_notification_goes_on(at):
    agent = at.agent()
    agent.asks(call(1, "look"))
    agent.upstream.next()
    agent.asks(note("notifications/cancelled", {"requestId": 1}))
    assert agent.upstream.next().message["method"] == "notifications/cancelled"


def test_a_slow_agent_slows_the_server_down(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    sent = agent.upstream.next()
    sent.streams()
    answer.on_full(True)
    assert sent.paused
    answer.on_full(False)
    assert not sent.paused


def test_json_over_several_lines_is_one_event(at):
    agent = at.agent()
    answer = agent.asks(call(1, "pay"))
    at.wall.decide(at.wall.held[0])
    sent = agent.upstream.next()
    sent.receiver.started(200, {}, False)
    sent.receiver.event(Event(json.dumps(result(1, content=[]), indent=1).encode()))
    sent.receiver.ended(None)
    assert answer.messages() == [result(1, content=[])]


def test_an_answer_to_nobody_goes_nowhere(at):
    agent = at.agent()
    answer = agent.asks(call(1, "look"))
    sent = agent.upstream.next()
    sent.streams()
    sent.event(result(77, content=["smuggled"]))
    sent.event(result(1, content=[]))
    assert answer.messages() == [result(1, content=[])]


# --- stateless era ------------------------------------------------------------------------------


def listed(at: Far) -> Modern:
    """A client whose server has told its tools."""
    client = at.stateless()
    answer = client.asks(call("warm", "look"))
    question = at.upstream.next()
    assert question.message["method"] == "tools/list"
    assert question.headers["Mcp-Method"] == "tools/list"
    schema = {
        "type": "object",
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "deep": {"properties": {"n": {"type": "integer", "x-mcp-header": "N"}}},
        },
    }
    tools = [*TOOLS, {"name": "query", "inputSchema": schema}]
    question.json(result(question.message["id"], tools=tools, resultType="complete"))
    at.upstream.next().json(result("warm", content=[]))
    assert answer.json()["id"] == "warm"
    return client


def test_headers_for_the_server_are_made_from_what_was_judged(at):
    client = listed(at)
    arguments = {"region": "größe", "deep": {"n": 42}}
    mine = {"mcp_param_region": "=?base64?Z3LDtsOfZQ==?=", "mcp_param_n": "42.0"}
    client.asks(call(1, "query", arguments), mcp_param_foreign="x", **mine)
    assert at.upstream.next().headers == {
        "MCP-Protocol-Version": STATELESS,
        "Mcp-Method": "tools/call",
        "Mcp-Name": "query",
        "Mcp-Param-Region": "=?base64?Z3LDtsOfZQ==?=",
        "Mcp-Param-N": "42",
    }


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"mcp_param_region": "eu"},
        {"mcp_param_region": "us", "mcp_param_n": "1"},
        {"mcp_param_region": "=?base64?dXM?="},
    ],
)
def test_p16_parameter_headers_that_do_not_equal_the_body_are_refused(at, sent):
    client = listed(at)
    answer = client.asks(call(1, "query", {"region": "us"}), **sent)
    assert answer.json(400)["error"]["code"] == -32020
    assert at.upstream.sent == []


def test_closing_the_connection_closes_the_server_s(at):
    client = listed(at)
    answer = client.asks(call(1, "look"))
    sent = at.upstream.next()
    sent.streams()
    answer.breaks()
    assert sent.closed
    assert at.upstream.sent == []  # no notification: to close it is to say so
    assert at.wall.rows()[-1].state is State.WITHDRAWN
    client.asks(call(1, "look"))
    assert at.upstream.next().message["id"] == 1  # the id is free again


def test_a_broken_stream_loses_the_request(at):
    client = listed(at)
    answer = client.asks(call(1, "look"))
    sent = at.upstream.next()
    sent.streams()
    sent.event(None, id="e0")
    sent.ends()
    (error,) = answer.messages()
    assert "may have run" in error["error"]["message"]


def test_a_status_by_which_a_client_finds_the_server_s_era_goes_on(at):
    client = at.stateless()
    answer = client.asks(request(1, "server/discover"))
    at.upstream.next().ends(Fault(Trouble.REFUSED, "far refuses", status=400))
    assert answer.json(400)["error"]["code"] == -32603


def test_a_list_that_cannot_be_had_leaves_the_tool_unlisted(at):
    client = at.stateless()
    answer = client.asks(call(1, "look"))
    at.upstream.next().ends(Fault(Trouble.BROKEN, "far is broken", may_have_run=True, status=500))
    assert answer.json()["result"]["isError"]
    assert at.upstream.sent == []


# --- agents on pipes, which have no streams -----------------------------------------------------


class Deaf:
    """A session whose agent cannot listen for itself."""

    comes_back = False
    origin = None

    def __init__(self, live: Any) -> None:
        self.live = live
        self.heard: list[bytes] = []

    def from_server(self, lines: list[bytes], origin: Any = None, event: Any = None) -> None:
        self.heard += lines


def test_p13_a_slow_agent_on_pipes_slows_the_server_s_own_stream(tmp_path):
    wall, upstream = Wall(tmp_path, RULES), FakeUpstream()
    peer = Deaf(wall.session().live)
    end = RemoteEnd(wall.clock, upstream, peer)
    Ear(end, peer, Resumption()).listen()
    stream = upstream.next()
    end.pause()
    assert stream.paused
    stream.ends()
    wall.clock.advance(2)
    again = upstream.next()
    assert again.paused  # and so is one that begins meanwhile
    end.resume()
    assert not again.paused
    again.streams()
    again.event(note("notifications/message", {"data": "x"}), id="e1")
    again.ends()
    wall.clock.advance(2)
    assert upstream.next().headers["Last-Event-ID"] == "e1"
    assert len(peer.heard) == 1
    end.close()
    wall.clock.advance(60)
    assert [sent.method for sent in upstream.sent] == []
