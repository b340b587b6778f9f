"""What travels over the control socket: JSON-RPC 2.0, one message a line. No I/O here.

A client opens with `hello`, and is told the engine's version and pid. Then it may ask for
`snapshot`, for `send` (params: a command of engine.port), or for `feed`, after which the
connection carries nothing but `batch` notifications. The shim's `stdio` takes another way: the
listener hands its socket to the sessions.

Client and engine must be the same version of mcpwall, so these values may change freely. Only
`hello` and `send` of `Stop` are understood by every version, for good: so that an engine of
another version can be ended.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec

from mcpwall.engine.port import Command, Stop

REQUEST_MAX: Final = 1024 * 1024  # bytes of a line to the engine: commands are small
ANSWER_MAX: Final = 256 * 1024 * 1024  # bytes of a line from it: held calls come with arguments

# Error codes of JSON-RPC 2.0, section 5.1; the last four are in its range for servers.
PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
OTHER_VERSION: Final = -32001
NOT_FOR_ROLE: Final = -32002
ENGINE_ENDS: Final = -32003
NO_ROOM: Final = -32004

# What a client is: an app decides and edits, the command line looks, and stops the engine.
Role: TypeAlias = Literal["app", "cli"]

_ABSENT: Final = msgspec.Raw()


class WireError(Exception):
    """A line that is no message of this protocol; `code` is its JSON-RPC error code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Hello(msgspec.Struct, frozen=True):
    """The first params of a client."""

    version: str
    role: Role


class Welcome(msgspec.Struct, frozen=True):
    """The engine's answer to `hello`."""

    version: str
    pid: int


class Follow(msgspec.Struct, frozen=True):
    """The params of `feed`: events numbered above `after` are wanted."""

    after: int


class Fault(msgspec.Struct, frozen=True):
    """A JSON-RPC error."""

    code: int
    message: str


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. A request has id and method, a notification method, an answer the rest."""

    jsonrpc: Literal["2.0"]
    id: int | None = None
    method: str = ""
    params: msgspec.Raw = _ABSENT
    result: msgspec.Raw = _ABSENT
    error: Fault | None = None


_decoder: Final = msgspec.json.Decoder(Frame)


def read_frame(line: bytes) -> Frame:
    """One line, with or without its end, as a frame. Raises WireError."""
    try:
        return _decoder.decode(line)
    except msgspec.ValidationError as error:
        raise WireError(INVALID_REQUEST, f"no message of this protocol: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(PARSE_ERROR, f"not JSON: {error}") from error


def read_value(raw: msgspec.Raw, kind: Any) -> Any:
    """Params or a result as a value of type `kind` (a union may be one). Raises WireError."""
    try:
        return msgspec.json.decode(bytes(raw) or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(INVALID_PARAMS, f"unexpected content: {error}") from error


def request(number: int, method: str, params: msgspec.Struct | None = None) -> bytes:
    """The line that asks for `method`."""
    return _line(Frame("2.0", number, method, params=_raw(params)))


def is_stop(frame: Frame) -> bool:
    """Whether this asks the engine to end: the one request that every version serves."""
    try:
        return frame.method == "send" and isinstance(read_value(frame.params, Command), Stop)
    except WireError:
        return False  # a command that only the other version knows


def answer(number: int | None, value: Any) -> bytes:
    """The line that answers request `number`."""
    return _line(Frame("2.0", number, result=_raw(value)))


def notification(method: str, params: msgspec.Struct) -> bytes:
    """A line that nobody asked for and nobody answers."""
    return _line(Frame("2.0", method=method, params=_raw(params)))


def fault(number: int | None, code: int, text: str) -> bytes:
    """The line that refuses request `number`; None (null) when no number could be read."""
    error = {"code": code, "message": text}
    return _encoded({"jsonrpc": "2.0", "id": number, "error": error}) + b"\n"


def other_version(engine: str, client: str) -> str:
    """Why client and engine do not talk to each other, and what to do."""
    return (
        f"the engine that runs is mcpwall {engine}, this is mcpwall {client}; "
        "end it with `mcpwall stop`, then start again"
    )


def _line(frame: Frame) -> bytes:
    return _encoded(frame) + b"\n"


def _raw(value: Any) -> msgspec.Raw:
    return _ABSENT if value is None else msgspec.Raw(_encoded(value))


def _encoded(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # a file name that is not UTF-8 must not silence the feed
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))


def _without_surrogates(value: Any) -> Any:
    """Plain data in which lone surrogates are spelled out: JSON in UTF-8 cannot carry them."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
        case list() | tuple():
            return [_without_surrogates(item) for item in value]
        case _:
            return value
