"""What HTTP headers and statuses say of a message. Pure.

Source: MCP 2026-07-28, Streamable HTTP, "Request Metadata" and "Server Validation"; 2025-11-25,
Streamable HTTP, "Protocol Version Header".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from mcpwall.model import JsonObject
from mcpwall.protocol import codec, envelopes, methods
from mcpwall.protocol.codec import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, Malformed
from mcpwall.protocol.envelopes import Unreadable

HEADER_MISMATCH: Final = -32020
PRIMED_VERSION: Final = "2025-11-25"  # from here on clients understand an event without data
META_CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"
NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}

_STATUS: Final = {
    codec.PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
}
_STATELESS_STATUS: Final = {
    **_STATUS,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    -32021: 400,  # the client lacks a capability
    -32022: 400,  # unsupported protocol version
    METHOD_NOT_FOUND: 404,
}
_NESTED_MAX: Final = 32
_SAFE: Final = 2**53  # integers that every reader keeps exactly
_PLAIN: Final = ("string", "integer", "boolean")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")  # RFC 9110, 5.6.2
_INTEGER: Final = re.compile(r"(0|-?[1-9][0-9]{0,15})\.0+")
_LOOK_MAX: Final = 64 * 1024  # bytes: a longer answer is no error that has a status of its own
_B64: Final = "=?base64?"


def is_stateless(sent: Mapping[str, str], message: JsonObject) -> bool:
    """Whether a message speaks the era without a handshake, by its header or its `_meta`.

    A handshake speaks it only where both say so: then it is a method that is not there any more.
    """
    version = sent.get("mcp-protocol-version", "")
    header = version[:2] == "20" and version >= methods.STATELESS_VERSION
    meta = methods.META_VERSION in _meta(message)
    return header and meta if message.get("method") == "initialize" else header or meta


def check_stateless(sent: Mapping[str, str], message: JsonObject) -> None:
    """Refuse a message whose headers do not equal its body. Raises Malformed."""
    method = message.get("method")
    if not isinstance(method, str):
        raise Malformed(INVALID_REQUEST, "this protocol version has no answers of a client")
    request_id = message.get("id")
    trusted = request_id if codec.is_id(request_id) else None
    if "id" in message:
        meta = _meta(message)
        missing = [k for k in (methods.META_VERSION, META_CAPABILITIES) if k not in meta]
        if missing:
            raise Malformed(INVALID_PARAMS, f"_meta lacks {' and '.join(missing)}", trusted)
        _equal("MCP-Protocol-Version", sent, meta[methods.META_VERSION], trusted)
        _equal("Mcp-Method", sent, method, trusted)
        if method == "initialize":
            raise Malformed(METHOD_NOT_FOUND, "this protocol version has no handshake", trusted)
        key = NAMED.get(method)
        if key is not None and isinstance(name := message["params"].get(key), str):
            _equal("Mcp-Name", sent, name, trusted, coded=True)
    elif "mcp-method" in sent:
        _equal("Mcp-Method", sent, method, None)


def of(message: JsonObject, schema: JsonObject) -> dict[str, str]:
    """The headers of a message of the stateless era; `schema` is its tool's, where it has one."""
    method = message.get("method", "")
    said = {"Mcp-Method": encoded(method)}  # an agent on pipes may call it anything
    version = _meta(message).get(methods.META_VERSION)
    if isinstance(version, str):
        said["MCP-Protocol-Version"] = encoded(version)
    params = message.get("params", {})
    if isinstance(name := params.get(NAMED.get(method, "")), str):
        said["Mcp-Name"] = encoded(name)
    if method == "tools/call":
        arguments = params.get("arguments", {})
        for header, path in parameters(schema).items():
            if (value := _text(_at(arguments, path))) is not None:
                said[header] = encoded(value)
    return said


def check_parameters(sent: Mapping[str, str], message: JsonObject, schema: JsonObject) -> None:
    """Refuse a call whose `Mcp-Param-` headers do not equal its arguments. Raises Malformed.

    What has no place in the tool's schema is left alone: it does not go on.
    """
    arguments = message.get("params", {}).get("arguments", {})
    for header, path in parameters(schema).items():
        argument = _at(arguments, path)
        value = _text(argument)
        given = sent.get(header.lower())
        if (given is None) is not (value is None):
            what = "is missing" if given is None else "names what the body does not have"
            raise Malformed(HEADER_MISMATCH, f"the header {header} {what}", message.get("id"))
        if given is not None and not _same(decoded(given), value, argument):
            text = f"the header {header} does not equal the body"
            raise Malformed(HEADER_MISMATCH, text, message.get("id"))


def parameters(schema: JsonObject) -> dict[str, tuple[str, ...]]:
    """The header for each argument that a tool's schema wants one for, and where it stands.

    Empty for a schema that breaks the rules for them: clients leave such a tool out.
    """
    found: dict[str, tuple[str, ...]] = {}
    places: list[tuple[tuple[str, ...], Any]] = [((), schema)]
    while places:
        path, place = places.pop()
        properties = place.get("properties") if isinstance(place, dict) else None
        if not isinstance(properties, dict) or len(path) >= _NESTED_MAX:
            continue
        for name, described in properties.items():
            places.append(((*path, name), described))
            mark = described.get("x-mcp-header") if isinstance(described, dict) else None
            if mark is None:
                continue
            kind = described.get("type")
            if not isinstance(mark, str) or not _TOKEN.fullmatch(mark) or kind not in _PLAIN:
                return {}
            if f"mcp-param-{mark}".lower() in {known.lower() for known in found}:
                return {}
            found[f"Mcp-Param-{mark}"] = (*path, name)
    return found


def _at(arguments: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        arguments = arguments.get(name) if isinstance(arguments, dict) else None
    return arguments


def _text(value: Any) -> str | None:
    """An argument as a header has it; None for one that has no header."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and abs(value) < _SAFE else None


def _same(given: str | None, value: str | None, argument: Any) -> bool:
    """Whether two texts are equal; an integer may be written as 42.0 too."""
    if given == value:
        return True
    whole = _INTEGER.fullmatch(given or "") if type(argument) is int else None
    return whole is not None and whole[1] == value


def _equal(
    name: str, sent: Mapping[str, str], value: Any, request_id: Any, *, coded: bool = False
) -> None:
    """`coded`: the header may be in base64, which only a person's own texts need."""
    header = sent.get(name.lower())
    if header is None:
        raise Malformed(HEADER_MISMATCH, f"the header {name} is missing", request_id)
    if (decoded(header) if coded else header) != value:
        raise Malformed(HEADER_MISMATCH, f"the header {name} does not equal the body", request_id)


def status(line: bytes, *, stateless: bool, default: int = 200) -> int:
    """The HTTP status of an answer that is the whole of a response."""
    if len(line) > _LOOK_MAX or b'"error"' not in line:
        return default
    if codec.is_batch(line):
        return default
    try:
        code = codec.object_of(envelopes.read(line)[0].error).get("code", 0)
    except Unreadable:
        return default
    return (_STATELESS_STATUS if stateless else _STATUS).get(code, default)


def encoded(value: str) -> str:
    """A text as a header's value: as it is, or in base64 where that would not survive."""
    plain = value.isascii() and value.isprintable() and value == value.strip()
    if plain and not (value.startswith(_B64) and value.endswith("?=")):
        return value
    return f"{_B64}{base64.b64encode(value.encode()).decode('ascii')}?="


def decoded(header: str) -> str | None:
    """The text that a header's value stands for; None for a coding that says nothing exactly."""
    if not (header.startswith(_B64) and header.endswith("?=") and len(header) > len(_B64)):
        return header
    payload = header[len(_B64) : -2]
    try:
        data = base64.b64decode(payload, validate=True)
        if base64.b64encode(data).decode("ascii") != payload:
            return None
        return data.decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _meta(message: JsonObject) -> JsonObject:
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    return meta if isinstance(meta, dict) else {}
