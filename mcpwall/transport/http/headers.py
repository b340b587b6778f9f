"""What HTTP headers and statuses say of a message. Pure.

Source: MCP 2026-07-28, Streamable HTTP, "Request Metadata" and "Server Validation"; 2025-11-25,
Streamable HTTP, "Protocol Version Header".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from mcpwall.model import JsonObject
from mcpwall.protocol import codec, methods
from mcpwall.protocol.codec import INVALID_PARAMS, INVALID_REQUEST, Malformed

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
    codec.METHOD_NOT_FOUND: 404,
}
_LOOK_MAX: Final = 64 * 1024  # bytes: a longer answer is no error that has a status of its own
_B64: Final = "=?base64?"


def is_stateless(sent: Mapping[str, str], message: JsonObject) -> bool:
    """Whether a message speaks the era without a handshake, by its header or its `_meta`."""
    if message.get("method") == "initialize":
        return False
    version = sent.get("mcp-protocol-version", "")
    if version[:2] == "20" and version >= methods.STATELESS_VERSION:
        return True
    return methods.META_VERSION in _meta(message)


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
        key = NAMED.get(method)
        if key is not None and isinstance(name := message["params"].get(key), str):
            _equal("Mcp-Name", sent, name, trusted)
    elif "mcp-method" in sent:
        _equal("Mcp-Method", sent, method, None)


def _equal(name: str, sent: Mapping[str, str], value: Any, request_id: Any) -> None:
    header = sent.get(name.lower())
    if header is None:
        raise Malformed(HEADER_MISMATCH, f"the header {name} is missing", request_id)
    if decoded(header) != value:
        raise Malformed(HEADER_MISMATCH, f"the header {name} does not equal the body", request_id)


def status(line: bytes, *, stateless: bool, default: int = 200) -> int:
    """The HTTP status of an answer that is the whole of a response."""
    if len(line) > _LOOK_MAX or b'"error"' not in line:
        return default
    envelopes = codec.decode_server(line)
    if envelopes is None or len(envelopes) != 1 or codec.is_batch(line):
        return default
    code = codec.object_of(envelopes[0].error).get("code", 0)
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
