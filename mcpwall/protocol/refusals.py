"""What the wall says where a message cannot go on, as lines for who sent it. Pure.

A refused call of a tool is a result, which the model gets to read; all else is a JSON-RPC error.
"""

from __future__ import annotations

from typing import Final

from mcpwall.model import JsonObject, RequestId
from mcpwall.protocol import codec, methods
from mcpwall.protocol.codec import Malformed
from mcpwall.protocol.commands import Answered, Command, Dropped, Note, ToClient
from mcpwall.protocol.envelopes import Unreadable
from mcpwall.protocol.requests import Request, Sort

REJECTED: Final = -1  # sampling page: "User rejected sampling request"


def malformed(error: Malformed) -> list[Command]:
    """What is told of a message of the client's that cannot be taken."""
    line = codec.error_line(error.id, error.code, f"mcpwall: {error.text}")
    return [ToClient(line, error.id), Note(f"refused a message of the agent: {error.text}")]


def unreadable(request: Request) -> list[Command]:
    """The answer to a request has no single meaning: the client gets an error in its place."""
    text = "the server's answer cannot be read, and may ask something; the call may have run"
    line = dead(request, text)
    answered = [Answered(request, is_error=True, line=line)] if request.call else []
    return [ToClient(line, request.id), *answered]


def dropped(line: bytes, error: Unreadable, answered: list[Request]) -> list[Command]:
    """A line of the server's goes nowhere: the requests that it `answered` get errors."""
    text = f"dropped a line of the server {error} ({len(line):,} bytes)"
    told = [command for request in answered for command in unreadable(request)]
    noise = line.lstrip()[:1] not in (b"{", b"[")  # a greeting, or a log that went astray
    return [Note(text) if told or noise else Dropped(text), *told]


def in_bad_company(answers: list[RequestId | None]) -> list[Command]:
    """Answers came in one batch with what cannot go on: the client gets an error for each."""
    text = "mcpwall: the server's answer came in a batch with what cannot go on"
    ids = [each for each in answers if each is not None]
    return [ToClient(codec.error_line(each, codec.INTERNAL_ERROR, text), each) for each in ids]


def refused(request: Request, text: str, verdict: JsonObject, *, stateless: bool) -> bytes:
    """The refusal of a judged request, for who sent it; b'' for a notice, which gets no answer.

    `stateless`: the client is of the era in which a result says what it is.
    """
    data = {methods.META_VERDICT: verdict}
    if request.sort is Sort.NOTICE:
        return b""
    if request.sort is Sort.QUESTION:
        return codec.error_line(request.id, REJECTED, text, data)
    if request.method != "tools/call":
        return codec.error_line(request.id, codec.INTERNAL_ERROR, text, data)
    result: JsonObject = {
        "content": [{"type": "text", "text": text}],
        "isError": True,
        "_meta": data,
    }
    if stateless:
        result["resultType"] = "complete"
    return codec.encode({"jsonrpc": "2.0", "id": request.id, "result": result})


def again(request: Request, state: str) -> bytes:
    """No answer yet: the client is to make its request once more, with this state.

    MCP 2026-07-28, "Multi Round-Trip Requests"; no input is asked for.
    """
    result = {"resultType": "input_required", "requestState": state}
    return codec.encode({"jsonrpc": "2.0", "id": request.id, "result": result})


def unknown_tool(request: Request) -> bytes:
    """The answer to a call of a tool that the client does not get to see.

    The words are those in which servers say it (MCP tools page, "Error Handling").
    """
    text = f"Unknown tool: {request.subject}"
    return codec.error_line(request.id, codec.INVALID_PARAMS, text)


def dead(request: Request, text: str) -> bytes:
    """What tells the client that its request can get no answer any more."""
    return codec.error_line(request.id, codec.INTERNAL_ERROR, f"mcpwall: {text}")
