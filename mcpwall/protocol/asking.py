"""What the server asks of the client inside something else: an answer, or what it tells. Pure.

A question there is one to judge, of whatever kind. Where it is in doubt what is asked, or where the
line holds anything beside it, nothing of the line may go on.

Sources: MCP 2026-07-28, "Multi Round-Trip Requests", and its tasks extension (`inputRequests` in
results and in `notifications/tasks`); MCP 2025-11-25, "Elicitation", "URL Elicitation Required
Error".
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from mcpwall.model import RequestId
from mcpwall.protocol import codec, methods
from mcpwall.protocol.asked import all_of
from mcpwall.protocol.codec import NOT_READ, Malformed
from mcpwall.protocol.commands import Command, Inputs, Note
from mcpwall.protocol.forms import ABSENT, Envelope, Said
from mcpwall.protocol.members import Doubtful, members
from mcpwall.protocol.requests import Request, Sort
from mcpwall.protocol.said import said

TOGETHER_MAX: Final = 100  # questions in one message
ELICITATION: Final = "elicitation/create"

_WANTS: Final = re.compile(rb"elicitation|\\u00[4-7]", re.IGNORECASE)  # or an escape that spells it
_ERROR: Final = frozenset({"data"})
_DATA: Final = frozenset({"elicitations"})
_list: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_object: Final = msgspec.json.Decoder(dict[str, Any]).decode


def in_answer(
    envelope: Envelope, line: bytes, *, stateless: bool
) -> tuple[Said, list[Request]] | None:
    """What an answer says, and what it asks of the client; None where it must not go on.

    `stateless`: the client is of the era in which results ask.
    """
    told = said(envelope.result, stateless=stateless)
    try:
        questions = _in_result(told)
        if envelope.error and _WANTS.search(envelope.error):
            questions += _in_error(envelope.error)
        _check(questions, line)
    except Doubtful:
        return None
    return None if told is None else (told, questions)


def in_notice(
    envelope: Envelope, line: bytes, about: RequestId | None
) -> tuple[bool, list[Command]]:
    """The server tells something, about a request of the client's or none.

    Returns whether that goes on at once, and what follows from it.
    """
    try:
        questions = _in_result(said(envelope.params, stateless=True))
        _check(questions, line)
    except Doubtful:
        return False, [Note("dropped a notification of the server that may ask something unread")]
    if not questions:
        return True, []
    notice = Request("", envelope.method or "", sort=Sort.NOTICE)
    return False, [Inputs(notice, questions, line, about)]


def _check(questions: list[Request], line: bytes) -> None:
    """Questions come alone in their line: it goes on as a whole. Raises Doubtful."""
    if questions and (len(questions) > TOGETHER_MAX or codec.is_batch(line)):
        raise Doubtful("with more questions, or more beside them, than can be judged together")


def _in_result(told: Said | None) -> list[Request]:
    if told is None:
        raise Doubtful("that may ask something unread")
    asked = told.input_requests
    return [_question(key, one) for key, one in asked.items()] if isinstance(asked, dict) else []


def _question(key: str, value: Any) -> Request:
    """A question of a kind that nobody knows is one too: it is for the rules to say."""
    question = value if isinstance(value, dict) else {}
    params = question.get("params")
    known = params if isinstance(params, dict) else {}
    asked_for = str(question.get("method", ""))
    method = methods.meant(asked_for) or asked_for
    if not codec.is_id(key) or len(method) > methods.METHOD_MAX:
        raise Doubtful("with a name that is too long")
    return Request(key, method, arguments=all_of(known), sort=Sort.QUESTION)


def _in_error(error: msgspec.Raw) -> list[Request]:
    """The URLs that an error wants opened, whatever its code: readers differ on numbers."""
    try:
        data = members(bytes(error), _ERROR).get("data", ABSENT)
        wanted = members(bytes(data), _DATA).get("elicitations", ABSENT) if data else data
        texts = _list(wanted) if wanted else []
    except msgspec.ValidationError:
        return []  # of another type: no client takes it for URLs
    except NOT_READ:
        raise Doubtful("that cannot be read") from None
    return [_elicitation(bytes(text)) for text in texts[: TOGETHER_MAX + 1]]


def _elicitation(text: bytes) -> Request:
    try:
        members(text, frozenset())
        wanted = _object(text)
        codec.check_keys(wanted, frozenset(), None)
    except (*NOT_READ, Malformed):
        raise Doubtful("with a URL to open that cannot be read") from None
    return Request("", ELICITATION, arguments=wanted, sort=Sort.QUESTION)
