"""A server's line, read as far as the wall must know it; it goes on as it came. Pure.

A line in whose envelopes two readers could find different things does not go on (`Unreadable`): a
client that matches names without case takes `"Method"` for a question that nobody judged.

Sources: JSON-RPC 2.0 sections 4-6; MCP base protocol, batches of 2025-03-26.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any, Final

import msgspec

from mcpwall.model import JsonObject, RequestId
from mcpwall.protocol.codec import BATCH_MAX, NOT_READ, has_too_many, is_batch, is_id
from mcpwall.protocol.forms import ABSENT, Bare, Envelope, LaxObject
from mcpwall.protocol.members import Doubtful, check_case, members

FIELDS: Final = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
BESIDE_MAX: Final = 64 * 1024  # bytes of a message outside of its known fields
OBJECTS_MAX: Final = 100_000  # of a line that only lax readers take: each of them costs much
_PLAIN: Final = len('{"jsonrpc":,"id":,"result":}')
_SECOND: Final = len(',"id":1')  # the shortest member that could be there twice


class Unreadable(Exception):  # noqa: N818 (it is the line that cannot be read)
    """A line that cannot go on; the text says what is wrong with it.

    `ids` are of the requests that it seems to answer.
    """

    def __init__(self, text: str, ids: list[RequestId]) -> None:
        super().__init__(text)
        self.ids = ids


_known = msgspec.json.Decoder(Bare).decode
_any = msgspec.json.Decoder(Envelope).decode
_parts = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode = msgspec.json.Decoder().decode


def read(line: bytes) -> list[Envelope]:
    """The envelopes in one line of a server's. Raises Unreadable.

    Servers in Python may write NaN; such an answer is still read, so that it finds its request.
    """
    if is_batch(line):
        return _batch(line)
    try:
        envelope = _known(line)
    except msgspec.ValidationError:
        pass  # a field that nobody knows, or a method that is no text
    except NOT_READ:
        return _leniently(line)
    else:
        if envelope.jsonrpc and envelope.id and envelope.result:
            told = len(envelope.jsonrpc) + len(envelope.id) + len(envelope.result)
            if len(line) - told - _PLAIN < _SECOND:
                return [envelope]  # no room for anything twice
    try:
        return [_certain(line)]
    except NOT_READ:
        return _leniently(line)
    except Doubtful as doubt:
        raise Unreadable(f"{doubt}", _answered_by([line])) from None


def _certain(part: bytes) -> Envelope:
    """An envelope that all readers read alike. Raises Doubtful, or what the decoder does."""
    envelope = _any(part)
    known = (envelope.jsonrpc, envelope.id, envelope.result, envelope.params, envelope.error)
    if len(part) - sum(map(len, known)) - len(envelope.method or "") > BESIDE_MAX:
        raise Doubtful("with too much beside the fields of a message")
    members(part, FIELDS)
    return envelope


def _batch(line: bytes) -> list[Envelope]:
    if has_too_many(line):
        raise Unreadable("with too many values", [])
    try:
        parts = [bytes(part) for part in _parts(line)]
        if len(parts) > BATCH_MAX:
            text = f"with more than {BATCH_MAX:,} messages"
            raise Unreadable(text, _answered_by(parts))
        return [_certain(part) for part in parts]
    except NOT_READ:
        return _leniently(line)
    except Doubtful as doubt:
        raise Unreadable(f"{doubt}", _answered_by(parts)) from None


def _leniently(line: bytes) -> list[Envelope]:
    """The envelopes in a line as lax readers take it. Raises Unreadable."""
    if has_too_many(line) or line.count(b"{") > OBJECTS_MAX:
        raise Unreadable("with too many values", _at_the_edges(line))
    try:
        value = json.loads(line, object_pairs_hook=LaxObject.of)
    except (ValueError, RecursionError):
        raise Unreadable("that cannot be read", _at_the_edges(line)) from None
    parts: list[Any] = value if isinstance(value, list) else [value]
    if not all(isinstance(part, LaxObject) for part in parts):
        raise Unreadable("that is no message", [])
    envelopes = [_lenient(part) for part in parts]
    try:
        for part in parts:
            _check(part)
    except Doubtful as doubt:
        raise Unreadable(f"{doubt}", _answered(envelopes)) from None
    if len(parts) > BATCH_MAX:
        raise Unreadable(f"with more than {BATCH_MAX:,} messages", _answered(envelopes))
    return envelopes


def _check(part: LaxObject) -> None:
    if part.twice:
        raise Doubtful("with two values of one name")
    if not isinstance(part.get("method", ""), str):
        raise Doubtful("whose method is no text")
    check_case(part, FIELDS)


def _lenient(part: JsonObject) -> Envelope:
    def raw(key: str) -> msgspec.Raw:
        return msgspec.Raw(json.dumps(part[key]).encode()) if key in part else ABSENT

    method = part.get("method")
    return Envelope(
        raw("jsonrpc"),
        raw("id"),
        raw("result"),
        method.encode("utf-8", "replace").decode() if isinstance(method, str) else None,
        raw("params"),
        raw("error"),
    )


def _answered_by(parts: list[bytes]) -> list[RequestId]:
    """The ids that messages with two readings seem to answer, as the decoder reads them."""
    envelopes = []
    for part in parts:
        with contextlib.suppress(*NOT_READ):
            envelopes.append(_any(part))
    return _answered(envelopes)


def _answered(envelopes: list[Envelope]) -> list[RequestId]:
    """The ids of the requests that these answer, as far as they can be read."""
    ids = [server_id(each.id) for each in envelopes if each.method is None]
    return [each for each in ids if each is not None]


_ID: Final = rb'"id"\s*+:\s*+("[^"\\]{1,200}"|-?[0-9]{1,18})'
_VERSION: Final = rb'"jsonrpc"\s*+:\s*+"2\.0"'
_ANSWER: Final = rb'\s*+,\s*+"(?:result|error)"'
_FIRST: Final = re.compile(rb"\s*+\{\s*+(?:" + _VERSION + rb"\s*+,\s*+)?" + _ID + _ANSWER)
_LAST: Final = re.compile(rb",\s*+" + _VERSION + rb"\s*+,\s*+" + _ID + rb"\s*+\}\s*+")
_ASKS: Final = re.compile(rb'\s*+\{\s*+"method"')
_EDGE: Final = 1_000  # bytes at a line's end in which an id is looked for


def _at_the_edges(line: bytes) -> list[RequestId]:
    """The ids at the start and at the end of what is no JSON, where servers are used to write them.

    One in the middle may stand in anything.
    """
    first = _FIRST.match(line)
    end = line[-_EDGE:]
    last = None if _ASKS.match(line) else _LAST.fullmatch(end, end.rfind(b',"jsonrpc"'))
    ids = [server_id(msgspec.Raw(found[1])) for found in (first, last) if found]
    return [each for each in ids if each is not None]


def server_id(raw: msgspec.Raw) -> RequestId | None:
    """An id in a server's envelope, or None when it is absent or no valid id."""
    if not raw:
        return None
    try:
        value = _decode(raw)
    except NOT_READ:
        return None
    return value if is_id(value) else None
