"""What the server asks of the client: sampling, elicitation, roots, and anything else. Pure.

The first three are judged as calls are, since they reach the person's model, screen and files; a
ping and what nobody knows go on. Each may be answered once. What is asked inside results, errors
and notifications is found by `asking`. Source: MCP client features pages of 2024-11-05 …
2025-11-25.
"""

from __future__ import annotations

from typing import Final

import msgspec

from mcpwall.model import JsonObject, RequestId
from mcpwall.protocol import codec, methods
from mcpwall.protocol.asked import all_of
from mcpwall.protocol.codec import NOT_READ, Malformed
from mcpwall.protocol.commands import Answered, Command, Judge, Note, ToServer, Withdrawn
from mcpwall.protocol.envelopes import server_id
from mcpwall.protocol.forms import Envelope
from mcpwall.protocol.members import Doubtful, members
from mcpwall.protocol.requests import Request, Sort, Stage
from mcpwall.protocol.under_way import kept

OPEN_MAX: Final = 10_000


def _doubt(params: msgspec.Raw, arguments: JsonObject) -> str:
    """Why clients could read a question's params differently; '' where they cannot."""
    try:
        codec.check_keys(arguments, frozenset(), None)
        if params:
            members(bytes(params), frozenset())
    except Malformed:
        return "with two keys that differ by letter case only"
    except Doubtful as doubt:
        return str(doubt)
    except NOT_READ:
        pass  # lax clients' own: what they find in it was found
    return ""


class Questions:
    """The server's requests under way, by id."""

    def __init__(self, known: list[tuple[RequestId, str]]) -> None:
        self._open: dict[RequestId, Request] = {}
        for request_id, method in known:
            self.adopt(Request(request_id, method, stage=Stage.FORWARDED, sort=Sort.QUESTION))

    def memory(self) -> list[tuple[RequestId, str]]:
        """Those that the client has and that are in no record, as many as have room."""
        return kept((each.id, each.method) for each in self._open.values() if not each.call)

    def adopt(self, request: Request) -> None:
        """Take over a question that another engine left behind."""
        self._open[request.id] = request

    def has(self, request: Request) -> bool:
        """Whether this very question is under way."""
        return self._open.get(request.id) is request

    def drop(self, request: Request) -> None:
        """It needs no answer any more."""
        if self.has(request):
            del self._open[request.id]

    def clear(self) -> list[Request]:
        """Forget all; returns those that are on record."""
        left = [request for request in self._open.values() if request.call]
        self._open.clear()
        return left

    def ask(self, envelope: Envelope, line: bytes) -> tuple[bool, list[Command]]:
        """The server asks: whether the line goes on at once, and what follows."""
        request_id = server_id(envelope.id)
        if request_id is None or len(self._open) >= OPEN_MAX or request_id in self._open:
            return False, [Note("dropped a request of the server that has no usable id")]
        method = envelope.method or ""
        method = methods.meant(method) or method  # judged as what a lax client does with it
        request = Request(request_id, method, stage=Stage.FORWARDED, sort=Sort.QUESTION)
        if method not in methods.QUESTIONS:
            self._open[request_id] = request
            return True, []
        if codec.is_batch(line):
            return False, [Note(f"dropped a {method} of the server's that came in a batch")]
        params = codec.object_of(envelope.params)
        request.arguments = all_of(params)
        if fault := _doubt(envelope.params, request.arguments):
            return False, [Note(f"dropped a {method} of the server {fault}")]
        request.stage = Stage.NEW
        request.line = line
        self._open[request_id] = request
        return False, [Judge(request)]

    def take_back(self, request_id: RequestId) -> tuple[bool, list[Command]]:
        """The server wants no answer any more: whether to tell the client, and what follows."""
        request = self._open.pop(request_id, None)
        if request is None:
            return True, []
        was, request.stage = request.stage, Stage.CANCELLED
        return was is Stage.FORWARDED, [Withdrawn(request)] if request.call else []

    def answer(self, message: JsonObject) -> list[Command]:
        """The client answers."""
        request = self._open.get(message["id"])
        if request is None or request.stage is not Stage.FORWARDED:
            return [Note("dropped an answer of the agent to a request that nobody made")]
        del self._open[request.id]
        line = codec.encode(message)
        commands: list[Command] = [ToServer(line)]
        if request.call:
            commands.append(Answered(request, "error" in message, line))
        return commands
