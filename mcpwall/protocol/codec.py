"""JSON-RPC on a line: strict towards the server, exact towards the client. Pure.

What an agent sends is decoded once and forwarded in this module's encoding of the decoded object,
so that the wall and the server cannot read one line differently. Whatever has no single meaning is
refused (`Malformed`). What a server sends is only looked at and goes on as it came.

Sources: JSON-RPC 2.0 sections 4–6; MCP base protocol (ids are strings or integers, no null,
batches in 2025-03-26 alone); RFC 8259 sections 4, 6 and 8 for names, numbers and strings.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, TypeGuard

import msgspec

from mcpwall.model import JsonObject, RequestId

ID_MAX: Final = 1_024  # characters of an id: it is recorded, and kept as long as it is under way
ID_DIGITS_MAX: Final = 40  # of an integer id that is compared with its text
_VALUE: Final = 2  # bytes that one of many values takes at least
_DIGITS: Final = 18  # of an integer that surely has 64 bits
DEPTH_MAX: Final = 100
_SHALLOW: Final = 2 * DEPTH_MAX  # bytes of a line that has no room for more brackets that close
VALUES_MAX: Final = 1_000_000  # of one message that is read whole
BATCH_MAX: Final = 1_000  # messages
PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603

_ENVELOPE: Final = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
_CALL: Final = frozenset({"_meta", "arguments", "name", "uri", "task", "requestState"})
_PARAMS: Final = _CALL | {"inputResponses", "notifications", "requestId", "taskId"}

_LINE_ENDS: Final = tuple((each.encode(), b"\\u%04x" % ord(each)) for each in "\x85\u2028\u2029")
_TEXT: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()

# compact JSON with its keys in order: what fingerprints and digests are of
canonical: Final = msgspec.json.Encoder(order="deterministic").encode


class Malformed(Exception):  # noqa: N818 (it is the message that is malformed)
    """A client's line that cannot be forwarded. `id` is None unless it can be trusted."""

    def __init__(self, code: int, text: str, request_id: RequestId | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.id = request_id


# what a decoder raises for a text that it does not read
NOT_READ: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def encode(message: Any) -> bytes:
    """One line, without its end, that every line reader takes for one line.

    JSON lets U+0085, U+2028 and U+2029 stand in strings, yet Node's readline and Python's
    splitlines end a line there: they are written as escapes.
    """
    return _one_line(_encoder.encode(message))


def _one_line(line: bytes) -> bytes:
    if line.isascii():  # most are
        return line
    for end, escape in _LINE_ENDS:
        line = line.replace(end, escape)
    return line


def has_too_many(data: bytes | msgspec.Raw) -> bool:
    """Whether JSON has more than VALUES_MAX values: read, they would take much time and memory."""
    if len(data) <= _VALUE * VALUES_MAX:
        return False
    data = bytes(data)
    return _signs(data) > VALUES_MAX and _signs(_TEXT.sub(b"", data)) > VALUES_MAX


def _signs(data: bytes) -> int:
    return data.count(b",") + data.count(b"{") + data.count(b"[")


def decode_client(line: bytes) -> list[JsonObject]:
    """The messages of one line of a client's: one, or the parts of a batch. Raises Malformed."""
    if has_too_many(line):
        raise Malformed(INVALID_REQUEST, f"the message has more than {VALUES_MAX:,} values")
    try:
        value = _decoder.decode(line)
    except UnicodeDecodeError:
        raise Malformed(PARSE_ERROR, "the message is not valid UTF-8") from None
    except RecursionError:
        raise Malformed(PARSE_ERROR, f"the message nests deeper than {DEPTH_MAX}") from None
    except msgspec.ValidationError:
        raise Malformed(PARSE_ERROR, "a number in the message is out of range") from None
    except msgspec.DecodeError as error:
        raise Malformed(PARSE_ERROR, f"the message is not JSON: {error}") from None
    if len(line) > _SHALLOW and line.count(b"{") + line.count(b"[") > DEPTH_MAX and _is_deep(value):
        request_id = value.get("id") if type(value) is dict else None
        trusted = request_id if type(request_id) is str or type(request_id) is int else None
        raise Malformed(INVALID_REQUEST, f"the message nests deeper than {DEPTH_MAX}", trusted)
    if type(value) is dict:
        return [value]
    if type(value) is list:
        if not value or not all(type(part) is dict for part in value):
            raise Malformed(INVALID_REQUEST, "a batch must be a list of messages, not empty")
        if len(value) > BATCH_MAX:
            raise Malformed(INVALID_REQUEST, f"a batch has at most {BATCH_MAX} messages")
        return value
    raise Malformed(INVALID_REQUEST, "a message must be a JSON object")


def _is_deep(value: Any) -> bool:
    """Whether lists and objects nest deeper than DEPTH_MAX."""
    layer = [value]
    for _ in range(DEPTH_MAX + 1):
        layer = [part for part in layer if type(part) is dict or type(part) is list]
        if not layer:
            return False
        layer = [
            inner for part in layer for inner in (part.values() if type(part) is dict else part)
        ]
    return True


def check_client(message: JsonObject) -> None:
    """Refuse a client's message that two readers could understand differently. Raises Malformed.

    Looks at the envelope and at the keys of `params`; arguments are `check_keys`' work.
    """
    request_id = message.get("id")
    trusted = request_id if type(request_id) is str or type(request_id) is int else None
    if not message.keys() <= _ENVELOPE:
        _refuse_twins(message, _ENVELOPE, "the message", trusted)
    if message.get("jsonrpc") != "2.0":
        raise Malformed(INVALID_REQUEST, 'the message must say "jsonrpc": "2.0"', trusted)
    if "id" in message and trusted is None:
        raise Malformed(INVALID_REQUEST, "an id must be a string or an integer")
    if type(trusted) is str and len(trusted) > ID_MAX:
        raise Malformed(INVALID_REQUEST, f"an id has at most {ID_MAX:,} characters")
    if "method" in message:
        if type(message["method"]) is not str:
            raise Malformed(INVALID_REQUEST, "a method must be a string", trusted)
        if "result" in message or "error" in message:
            raise Malformed(INVALID_REQUEST, "a message has a method or an answer", trusted)
        params = message.get("params", {})
        if type(params) is not dict:
            raise Malformed(INVALID_REQUEST, "params must be an object", trusted)
        if not params.keys() <= _PARAMS:
            _refuse_twins(params, _PARAMS, "params", trusted)
    elif ("result" in message) == ("error" in message):
        raise Malformed(INVALID_REQUEST, "a message has a method, a result or an error", trusted)
    elif trusted is None:
        raise Malformed(INVALID_REQUEST, "an answer needs the id of its request")


def check_keys(value: Any, known: frozenset[str], request_id: RequestId | None) -> None:
    """Refuse keys that differ from a known key, or from each other, by letter case only.

    Readers that match names without case (Go's encoding/json) would take one for the other.
    `known` are the top level's properties in the tool's schema; below it keys are compared with
    their siblings. Raises Malformed.
    """
    if type(value) is dict:
        if not value.keys() <= known:
            _refuse_twins(value, known, "the arguments", request_id)
        for part in value.values():
            if type(part) is dict or type(part) is list:
                check_keys(part, _NO_KEYS, request_id)
    elif type(value) is list:
        for part in value:
            if type(part) is dict or type(part) is list:
                check_keys(part, _NO_KEYS, request_id)


_NO_KEYS: Final[frozenset[str]] = frozenset()


def _refuse_twins(
    value: JsonObject, known: frozenset[str], where: str, request_id: RequestId | None
) -> None:
    folded = {key.casefold(): key for key in known}
    for key in value:
        twin = folded.setdefault(key.casefold(), key)
        if twin != key:
            raise Malformed(
                INVALID_REQUEST,
                f"{where} has a key {key!r} that differs from {twin!r} by letter case only",
                request_id,
            )


def is_batch(line: bytes) -> bool:
    """Whether a line of JSON is a list."""
    return not line.startswith(b"{") and line.lstrip()[:1] == b"["


def tidy_server_line(line: bytes) -> bytes:
    """A server's line as it may go on: as it came, less what some clients take for a line's end.

    They would read a second message inside the first. A bare CR is white space to JSON, and cannot
    stand in a string (RFC 8259 section 7); the others stand in strings alone, see `encode`.
    """
    return _one_line(line if line.find(b"\r") < 0 else line.replace(b"\r", b" "))


def error_line(request_id: RequestId | None, code: int, text: str, data: Any = None) -> bytes:
    """A JSON-RPC error as a line; `id` is null where the request's is not known (section 5.1)."""
    error: JsonObject = {"code": code, "message": text}
    if data is not None:
        error["data"] = data
    return encode({"jsonrpc": "2.0", "id": request_id, "error": error})


def is_id(value: Any) -> TypeGuard[RequestId]:
    """Whether a value can be an id or a progress token; True, in Python an integer, can't."""
    return type(value) is int or (type(value) is str and len(value) <= ID_MAX)


def as_integer(text: str) -> int | None:
    """The integer that a text spells, exactly as `str` would write it."""
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > ID_DIGITS_MAX:
        return None
    return int(text) if str(int(text)) == text else None


def object_of(raw: msgspec.Raw) -> JsonObject:
    """A server's object, or an empty one when it is none.

    What lax clients read and the decoder does not (NaN, numbers out of range, lone surrogates)
    must hide nothing beside it: such an object is read as those clients do.
    """
    if not raw or has_too_many(raw):
        return {}
    try:
        value = msgspec.json.decode(raw)
    except NOT_READ:
        value = loosely(raw)
    return value if isinstance(value, dict) else {}


def loosely(raw: msgspec.Raw) -> Any:
    """JSON as lax readers take it, in values that the encoder takes; None for what is no JSON."""
    if has_too_many(raw):
        return None
    try:
        text = json.dumps(json.loads(bytes(raw), parse_int=_number), ensure_ascii=False)
        return json.loads(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else float(digits)
