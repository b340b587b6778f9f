"""A conversation as a transcript: what goes in, and all that must come out.

    play = Playbook(Session())
    play >> client(initialize) << server(initialize) << opened

`>>` puts a line in; `<<` expects the next command; leaving one unread fails at the next line.
"""

from __future__ import annotations

import json
from typing import Any, Self

from mcpwall.protocol import commands as p
from mcpwall.protocol.definitions import Definition
from mcpwall.protocol.session import Session


class Line:
    def __init__(self, side: str, content: Any) -> None:
        self.side = side
        self.bytes = content if isinstance(content, bytes) else json.dumps(content).encode()


def client(content: Any) -> Line:
    return Line("client", content)


def server(content: Any) -> Line:
    return Line("server", content)


class Playbook:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.commands: list[p.Command] = []
        self.judged: list[p.Request] = []

    def __rshift__(self, line: Line) -> Self:
        self.done()
        take = self.session.from_client if line.side == "client" else self.session.from_server
        self.commands = take(line.bytes)
        return self

    def __lshift__(self, expected: Any) -> Self:
        assert self.commands, f"expected {expected}, nothing came"
        command = self.commands.pop(0)
        if isinstance(expected, Line):
            kind = p.ToClient if expected.side == "client" else p.ToServer
            assert isinstance(command, kind), command
            assert json.loads(command.line) == json.loads(expected.bytes)
        elif isinstance(expected, type):
            assert isinstance(command, expected), command
        else:
            assert command == expected
        if isinstance(command, p.Judge):
            self.judged.append(command.request)
        return self

    def done(self) -> None:
        """Nothing more comes out."""
        assert not self.commands, f"unread: {self.commands}"

    def allow(self) -> Line:
        """The engine lets the oldest judged request go: the line for the server."""
        request = self.judged.pop(0)
        request.call = request.call or 1
        return Line("server", self.session.forwarded(request))


def request(request_id: Any, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def note(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def result(request_id: Any, **fields: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "result": fields}


def error(request_id: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}


def call(request_id: Any, tool: str, **arguments: Any) -> dict[str, Any]:
    return request(request_id, "tools/call", name=tool, arguments=arguments)


def page(tools: list[dict[str, Any]], *, first: bool, last: bool) -> p.Listed:
    """What is made of a page with these tools."""
    definitions = [Definition(tool["name"], tool, json.dumps(tool).encode()) for tool in tools]
    return p.Listed(definitions, first, last)


INITIALIZE = request(
    0,
    "initialize",
    protocolVersion="2025-11-25",
    capabilities={},
    clientInfo={"name": "claude-code", "version": "3.1"},
)
INITIALIZED = note("notifications/initialized")
WELCOME = result(
    0,
    protocolVersion="2025-11-25",
    capabilities={"tools": {}},
    serverInfo={"name": "notes", "version": "1"},
)
ECHO = {"name": "echo", "inputSchema": {"type": "object", "properties": {"text": {}}}}


def opened(version: str = "2025-11-25") -> Playbook:
    """A conversation after its handshake, with one tool listed: echo."""
    play = Playbook(Session())
    welcome = json.loads(json.dumps(WELCOME))
    welcome["result"]["protocolVersion"] = version
    play >> client(INITIALIZE) << p.Opened << server(INITIALIZE)
    play >> server(welcome) << client(welcome) << p.Described("") << p.Opened
    play >> client(INITIALIZED) << server(INITIALIZED)
    play >> client(request(1, "tools/list")) << server(request(1, "tools/list"))
    listed = result(1, tools=[ECHO])
    play >> server(listed) << client(listed) << page([ECHO], first=True, last=True)
    play.done()
    return play
