"""Tools as a server defines them: read from a page of a list, told apart, compared. Pure.

Two definitions are the same when a JSON reader cannot tell them apart: the order of keys and the
space between tokens say nothing; every other character does, in fields that nobody knows too, and
numbers count as they are written (1 is not 1.0). A definition with two readings has no fingerprint.

Source: MCP tools page, "Listing Tools"; pagination page; RFC 8259 sections 4 and 6.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from mcpwall.model import JsonObject
from mcpwall.protocol.codec import NOT_READ, canonical
from mcpwall.protocol.forms import ABSENT
from mcpwall.protocol.members import Doubtful, check_case, members

TOOLS_MAX: Final = 2_000  # definitions of one list that are read
BYTES_MAX: Final = 4 * 1024 * 1024  # and their text, together
DIFFERENCES_MAX: Final = 500  # differences that are told apart between two definitions

_FIELDS: Final = frozenset(
    {"name", "title", "description", "inputSchema", "outputSchema", "annotations"}
)


class Definition(msgspec.Struct):
    """A tool as its server defined it; `raw` is the JSON text as it came."""

    name: str
    fields: JsonObject
    raw: bytes


class _Page(msgspec.Struct):
    tools: list[msgspec.Raw] = []
    nextCursor: msgspec.Raw = ABSENT  # noqa: N815 - as the protocol spells it


_PAGE: Final = frozenset(_Page.__struct_fields__)


class Page(NamedTuple):
    """One page of a list: definitions that can be read, and where the next page starts.

    `cut`: there were more than are looked at. No call goes to a tool that was left out.
    """

    definitions: list[Definition]
    cursor: str | None
    cut: bool = False


def read_page(result: msgspec.Raw) -> Page:
    """The page in the result of tools/list; what cannot be read is left out."""
    try:
        members(bytes(result), _PAGE)
        page = msgspec.json.decode(result, type=_Page)
    except (*NOT_READ, Doubtful):
        return Page([], None)
    looked_at = first_of(page.tools)
    read = (read_definition(raw) for raw in looked_at)
    definitions = [definition for definition in read if definition is not None]
    try:
        cursor = msgspec.json.decode(page.nextCursor) if page.nextCursor else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        cursor = None
    cut = len(looked_at) < len(page.tools)
    return Page(definitions, cursor if isinstance(cursor, str) else None, cut)


def first_of(tools: list[msgspec.Raw]) -> list[msgspec.Raw]:
    """As many of a page's definitions as are looked at, however many a server lists."""
    size = 0
    for at, tool in enumerate(tools[:TOOLS_MAX]):
        size += len(tool)
        if size > BYTES_MAX:
            return tools[:at]
    return tools[:TOOLS_MAX]


def read_definition(raw: msgspec.Raw) -> Definition | None:
    """One tool, or None when it cannot be read or has no name."""
    try:
        fields = msgspec.json.decode(raw, type=dict[str, Any])
    except NOT_READ:
        return None
    name = fields.get("name")
    return Definition(name, fields, bytes(raw)) if isinstance(name, str) and name else None


def fingerprint(raw: bytes) -> str:
    """SHA-256 (hex) over what a definition says. Raises ValueError when it has two readings."""
    fields = _read(raw)
    if isinstance(fields, dict):
        try:
            check_case(fields, _FIELDS)
        except Doubtful as doubt:
            raise ValueError(f"a definition {doubt}") from None
    return hashlib.sha256(canonical(fields)).hexdigest()


def differences(old: bytes, new: bytes) -> list[tuple[str, str | None, str | None]]:
    """Where two definitions differ; where in more than DIFFERENCES_MAX places: all of them as one.

    Each is the path of a field, its JSON text before and after, None where there is none.
    Raises ValueError for a text with two readings.
    """
    before, after = _read(old), _read(new)
    found = list(itertools.islice(_compare("", before, after), DIFFERENCES_MAX + 1))
    return found if len(found) <= DIFFERENCES_MAX else [("", _text(before), _text(after))]


def _read(raw: bytes) -> Any:
    """JSON whose numbers stay as they are written. Raises ValueError when it has two readings.

    So have a key that is there twice, NaN, and lone surrogates; deep nesting has none that counts.
    """
    try:
        return json.loads(
            raw,
            object_pairs_hook=_once,
            parse_int=_as_written,
            parse_float=_as_written,
            parse_constant=_refuse,
        )
    except RecursionError:
        raise ValueError("it nests too deep") from None


def _as_written(number: str) -> msgspec.Raw:
    return msgspec.Raw(number.encode())


def _once(pairs: list[tuple[str, Any]]) -> JsonObject:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key is there twice")
    return fields


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _compare(path: str, old: Any, new: Any) -> Iterator[tuple[str, str | None, str | None]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            below = f"{path}.{key}" if path else key
            if key not in old:
                yield below, None, _text(new[key])
            elif key not in new:
                yield below, _text(old[key]), None
            else:
                yield from _compare(below, old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _compare(f"{path}[{index}]", before, after)
    elif (before := _text(old)) != (after := _text(new)):
        yield path, before, after


def _text(value: Any) -> str:
    return canonical(value).decode()
