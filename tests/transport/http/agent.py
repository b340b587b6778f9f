"""An agent by HTTP and a server behind a wall, without sockets: both ends belong to the test.

desk = Desk(Wall(tmp_path, RULES))
agent = desk.agent()                      # handshake done
answer = agent.asks(call(1, "look"))
assert desk.end.forwarded() == [call(1, "look")]
desk.end.answers(result(1))
assert answer.json() == result(1)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mcpwall.model import RequestId
from mcpwall.transport.http import headers, sse
from mcpwall.transport.http.agents import Agents
from mcpwall.transport.http.exchange import Request
from mcpwall.transport.http.session import HttpSession
from mcpwall.transport.http.stream import Stream
from tests.engine.wall import RULES, TOOLS, Wall, note, request, result

Json = dict[str, Any]
VERSION = "2025-11-25"
STATELESS = "2026-07-28"
SERVERS = """
[servers.notes]
command = ["notes"]

[servers.other]
command = ["other"]
"""


class FakeExchange:
    """One HTTP request, and what was answered so far."""

    def __init__(self, method: str, path: str, sent: dict[str, str], body: bytes) -> None:
        self.request = Request(method, path, "", sent, body)
        self.on_gone: Callable[[], None] = lambda: None
        self.on_full: Callable[[bool], None] = lambda full: None
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.items: list[sse.Item] = []
        self.over = False
        self._parser = sse.Parser()

    def reply(self, status: int, sent: Any, body: bytes) -> None:
        assert not self.status
        self.status, self.headers, self.body, self.over = status, dict(sent), body, True

    def start(self, status: int, sent: Any) -> None:
        assert not self.status
        self.status, self.headers = status, dict(sent)

    def write(self, data: bytes) -> None:
        assert self.status
        assert not self.over
        self.items += self._parser.feed(data)

    def end(self) -> None:
        assert self.status
        assert not self.over
        self.over = True

    # --- what the test sees ---------------------------------------------------------------------

    @property
    def streams(self) -> bool:
        return self.headers.get("content-type") == "text/event-stream"

    def json(self, status: int = 200) -> Json:
        """The answer, which is JSON."""
        assert (self.status, self.over) == (status, True), (self.status, self.items)
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)

    def events(self) -> list[sse.Event]:
        """The events that came since the last look."""
        items, self.items = self.items, []
        return [item for item in items if isinstance(item, sse.Event)]

    def messages(self) -> list[Json]:
        """The messages in those events."""
        return [json.loads(event.data) for event in self.events() if event.data]

    def comments(self) -> int:
        """How many signs of life came since the last look."""
        items, self.items = self.items, []
        return len([item for item in items if isinstance(item, sse.Comment)])

    def breaks(self) -> None:
        """The agent's connection is gone."""
        self.on_gone()


class FakeEnd:
    """A server behind the wall, as a child would be."""

    numbered = True
    full = False
    pid = 0

    def __init__(self, session: HttpSession) -> None:
        self.session = session
        self.paused = False
        self.closed = False
        self._lines: list[bytes] = []
        self._sent: list[bytes] = []

    def send(self, line: bytes, about: RequestId | None) -> None:
        self._lines.append(line)

    def flush(self) -> None:
        self._sent += self._lines
        self._lines = []

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def listen(self, stream: Stream, last_event_id: str) -> None:
        raise AssertionError

    def gone(self, stream: Stream) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    # --- what the test does ---------------------------------------------------------------------

    def forwarded(self) -> list[Json]:
        """What has come to the server since the last look."""
        lines, self._sent = self._sent, []
        return [json.loads(line) for line in lines]

    def answers(self, *messages: Json) -> None:
        """The server writes these, all at once."""
        self.session.from_server([json.dumps(message).encode() for message in messages])


class Desk:
    """The handler, and the server ends that it made."""

    def __init__(self, wall: Wall) -> None:
        self.wall = wall
        self.ends: list[FakeEnd] = []
        self.fault: OSError | None = None
        self.agents = Agents(wall.engine, self._connect)

    def _connect(self, session: HttpSession, name: str, server: object) -> FakeEnd:
        if self.fault is not None:
            raise self.fault
        self.ends.append(FakeEnd(session))
        return self.ends[-1]

    @property
    def end(self) -> FakeEnd:
        """The newest server."""
        return self.ends[-1]

    def send(
        self, method: str, body: bytes = b"", path: str = "/s/notes/mcp", **sent: str
    ) -> FakeExchange:
        """One HTTP request; keywords are headers."""
        named = {name.replace("_", "-"): value for name, value in sent.items()}
        exchange = FakeExchange(method, path, named, body)
        self.agents(exchange)
        return exchange

    def agent(self, version: str = VERSION, name: str = "claude-code") -> Agent:
        """A client of the handshake era that has opened its session and listed the tools."""
        agent = Agent(self, version, name)
        agent.open()
        return agent

    def stateless(self, name: str = "codex") -> Modern:
        """A client of the stateless era."""
        return Modern(self, name)


class Agent:
    """A client of the handshake era."""

    def __init__(self, desk: Desk, version: str, name: str) -> None:
        self.desk = desk
        self.sent = {"mcp_protocol_version": version}
        self._version = version
        self._name = name

    def open(self) -> None:
        info = {"name": self._name, "version": "1"}
        hello = {"protocolVersion": self._version, "capabilities": {}, "clientInfo": info}
        body = json.dumps(request("init", "initialize", hello)).encode()
        opened = self.desk.send("POST", body)
        self.end = self.desk.end
        self.end.answers(
            result("init", protocolVersion=self._version, capabilities={}, serverInfo=info)
        )
        assert opened.json()["result"]["protocolVersion"] == self._version
        self.sent["mcp_session_id"] = opened.headers["mcp-session-id"]
        assert self.asks(note("notifications/initialized")).status == 202
        listed = self.asks(request("list", "tools/list"))
        self.end.answers(result("list", tools=TOOLS))
        assert listed.json()["result"]["tools"] == TOOLS
        self.end.forwarded()

    def asks(self, *messages: Json, **sent: str) -> FakeExchange:
        """POST a message, or several as a batch."""
        body = json.dumps(messages[0] if len(messages) == 1 else messages).encode()
        return self.desk.send("POST", body, **self.sent | sent)

    def listens(self, last_event_id: str = "") -> FakeExchange:
        """GET, for what belongs to no request or for the rest of a broken stream."""
        sent = {"last_event_id": last_event_id} if last_event_id else {}
        return self.desk.send("GET", **self.sent, **sent)

    def leaves(self) -> FakeExchange:
        """DELETE."""
        return self.desk.send("DELETE", **self.sent)


class Modern:
    """A client of the stateless era."""

    def __init__(self, desk: Desk, name: str) -> None:
        self.desk = desk
        self._name = name

    def message(self, message: Json) -> Json:
        """A request with the `_meta` that this era wants."""
        params = dict(message.get("params", {}))
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": STATELESS,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": self._name, "version": "1"},
            **params.get("_meta", {}),
        }
        return {**message, "params": params}

    def asks(self, message: Json, **sent: str) -> FakeExchange:
        """POST a message with the headers that this era wants; keywords replace them."""
        whole = self.message(message) if "id" in message else message
        usual = {"mcp_protocol_version": STATELESS, "mcp_method": message["method"]}
        key = headers.NAMED.get(message["method"])
        if key is not None:
            usual["mcp_name"] = headers.encoded(message["params"][key])
        return self.desk.send("POST", json.dumps(whole).encode(), **usual | sent)

    def lists(self) -> None:
        """The wall's own question for the tools is answered."""
        (question,) = self.desk.end.forwarded()
        assert question["method"] == "tools/list"
        self.desk.end.answers(result(question["id"], tools=TOOLS))


def desk(path: Any, rules: str = RULES) -> Desk:
    """A handler on the rules of the engine's tests."""
    return Desk(Wall(path, rules + SERVERS))
