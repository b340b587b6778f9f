"""What the result of a server's answer says to the wall: whether it failed, and what it asks. Pure.

Sources: MCP tools page (`isError`), "Tasks" of 2025-11-25, "Multi Round-Trip Requests" of
2026-07-28.
"""

from __future__ import annotations

from typing import Final

import msgspec

from mcpwall.protocol.codec import NOT_READ, has_too_many, loosely
from mcpwall.protocol.forms import Parts, Said
from mcpwall.protocol.members import Doubtful, members

ASKS: Final = "inputRequests"
_ASKS: Final = ASKS.casefold()
_QUESTION: Final = frozenset({"method", "params"})


_said: Final = msgspec.json.Decoder(Said)
_parts: Final = msgspec.json.Decoder(Parts)
_names: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode: Final = msgspec.json.Decoder().decode


def said(result: msgspec.Raw, *, stateless: bool) -> Said | None:
    """What a result says of these, however it is written; None for one that may ask unread.

    `stateless`: the client is of the era in which results ask.
    """
    if not result:
        return Said()
    try:
        if stateless and _asks_in_two_ways(result):
            return None
        if has_too_many(result):
            return _said_in_parts(_parts.decode(result))
        return _said.decode(result)
    except NOT_READ:
        value = loosely(result)
    if isinstance(value, dict):
        if stateless and any(name.casefold() == _ASKS and name != ASKS for name in value):
            return None
        return Said(*(value.get(key) for key in ("isError", "task", "taskId", ASKS)))
    raw = bytes(result)  # no object: a letter as an escape could spell the key
    return None if b"inputRequests" in raw or b"\\u00" in raw else Said()


def _asks_in_two_ways(result: msgspec.Raw) -> bool:
    """Whether readers may find different questions in a result. Raises what the decoder does."""
    if not any(name.casefold() == _ASKS for name in _names(result)):
        return False
    try:
        asked = members(bytes(result), frozenset({ASKS}))[ASKS]
        for question in members(bytes(asked), frozenset()).values():
            members(bytes(question), _QUESTION)
    except Doubtful:
        return True
    except msgspec.ValidationError:
        return False  # no object asks nothing
    return False


def _said_in_parts(parts: Parts) -> Said | None:
    """What a large result says, as far as each part of it can be read."""
    if has_too_many(parts.input_requests):
        return None
    read = (
        None if has_too_many(raw) or not raw else _decode(raw)
        for raw in (parts.is_error, parts.task, parts.task_id, parts.input_requests)
    )
    return Said(*read)
