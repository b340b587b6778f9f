"""Results of the server's that the wall changes on their way to the client. Pure.

Only what must change does: every other field goes on as it was written, to the byte. A line in
which nothing has to change goes on as it came.

Sources: MCP tools page, "Listing Tools" and capabilities; caching page of 2026-07-28.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from mcpwall.protocol import codec
from mcpwall.protocol.codec import NOT_READ
from mcpwall.protocol.definitions import first_of
from mcpwall.protocol.envelopes import Unreadable, read, server_id
from mcpwall.protocol.members import Doubtful, members

_Object: TypeAlias = dict[str, msgspec.Raw]

_parts = msgspec.json.Decoder(list[_Object]).decode
_part = msgspec.json.Decoder(_Object).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
# Rules can change at any time, so no client may take a list for good.
_UNCACHED: Final = {"ttlMs": b"0", "cacheScope": b'"private"'}
RESULT: Final = frozenset({"tools", "nextCursor", "instructions", "capabilities", *_UNCACHED})
UNREADABLE: Final = "mcpwall: the server's answer cannot be read, and may hold what nobody accepted"


def with_tools(line: bytes, shows: Callable[[bytes], bytes | None]) -> bytes:
    """A line with pages of tools, each definition's JSON replaced by what `shows` makes of it.

    None leaves a tool out: a page may end up empty, and keeps its cursor. What cannot be read is
    replaced by an error.
    """
    return _changed(line, lambda result: _page(result, shows), strict=True)


def with_instructions(line: bytes, text: str) -> bytes:
    """A line with the result of an opening, in which the server tells the model `text` of itself.

    "" leaves the instructions out. What cannot be read is replaced by an error.
    """

    def tell(result: _Object) -> bool:
        result.pop("instructions", None)
        if text:
            result["instructions"] = _raw(text)
        return True

    return _changed(line, tell, strict=True)


def declaring_changes(line: bytes) -> tuple[bytes, bool]:
    """A line with the result of an opening, in which the server says that its tools may change.

    The second value is whether it says so: one without tools does not.
    """
    declared = False

    def declare(result: _Object) -> bool:
        nonlocal declared
        capabilities = _object(result.get("capabilities"))
        tools = _object(capabilities.get("tools")) if capabilities else None
        if capabilities is None or tools is None:
            return False
        declared = True
        if bytes(tools.get("listChanged", b"")) == b"true":
            return False
        tools["listChanged"] = msgspec.Raw(b"true")
        capabilities["tools"] = _raw(tools)
        result["capabilities"] = _raw(capabilities)
        return True

    return _changed(line, declare, strict=False), declared


def instructions(result: msgspec.Raw) -> str:
    """What the result of an opening tells the model.

    What cannot be read, or reads differently to different clients, may say anything: all of it
    counts as instructions of its own.
    """
    fields = codec.object_of(result)
    try:
        members(bytes(result), RESULT)
    except Doubtful:
        fields = {}
    except NOT_READ:
        pass  # lax readers' own, in which the fields were found
    text = fields.get("instructions") if fields else str(bytes(result))
    return text if isinstance(text, str) else ""


def declares_changes(line: bytes) -> bool:
    """Whether the result of an opening says that the tools may change; not if it is unreadable."""
    try:
        result = _object(_object(msgspec.Raw(line), {}).get("result"), {})
        tools = _object(_object(result.get("capabilities"), {}).get("tools"), {})
    except NOT_READ:
        return False
    return bytes(tools.get("listChanged", b"")) == b"true"


def _page(result: _Object, shows: Callable[[bytes], bytes | None]) -> bool:
    changed = False
    if "tools" in result:
        tools = _raws(result["tools"])
        listed = [bytes(tool) for tool in first_of(tools)]
        shown = [text for tool in listed if (text := shows(tool)) is not None]
        if shown != listed or len(listed) < len(tools):
            result["tools"] = _raw([msgspec.Raw(text) for text in shown])
            changed = True
    for key, value in _UNCACHED.items():
        if key in result and bytes(result[key]) != value:
            result[key] = msgspec.Raw(value)
            changed = True
    return changed


def _changed(line: bytes, change: Callable[[_Object], bool], *, strict: bool) -> bytes:
    """The line with each result in it changed by `change`, which says whether it did so."""
    batch = codec.is_batch(line)
    try:
        messages = _parts(line) if batch else [_part(line)]
        changed = [_answer(message, change) for message in messages]
    except (*NOT_READ, Doubtful):
        return _refused(line) if strict else line
    if not any(changed):
        return line
    return codec.encode(messages if batch else messages[0])


def _answer(message: _Object, change: Callable[[_Object], bool]) -> bool:
    raw = message.get("result")
    if raw is None or _object(raw) is None:
        return False
    result = members(bytes(raw), RESULT)
    if not change(result):
        return False
    message["result"] = _raw(result)
    return True


def _refused(line: bytes) -> bytes:
    try:  # what nests at the edge is read at times, and not now
        ids = [server_id(each.id) for each in read(line)]
    except Unreadable:
        ids = [None]
    errors = [codec.error_line(each, codec.INTERNAL_ERROR, UNREADABLE) for each in ids]
    return b"[" + b",".join(errors) + b"]" if codec.is_batch(line) else errors[0]


def _object(raw: msgspec.Raw | None, default: Any = None) -> Any:
    """The members of an object, or `default` for what is none."""
    try:
        return _part(raw) if raw else default
    except msgspec.ValidationError:
        return default


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
