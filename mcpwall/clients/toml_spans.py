"""TOML read with the place of every value. Pure.

`tomllib` decides what is TOML and what it says; this scan follows its grammar (toml.io, v1.0.0)
just far enough to know where things stand.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final, NoReturn

from mcpwall.clients.nodes import DEPTH_MAX, Member, Node, UnreadableError, line_of
from mcpwall.store.toml_lines import BLANK, KEY_PART, SPACE, STRING, deep_key

_WORD: Final = re.compile(r"[^,\]}#\r\n]*[^,\]}#\s]")  # numbers, booleans, dates
_AT: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class _Table:
    """A table that is still being read; `start` is None as long as nothing of it was written."""

    def __init__(self, start: int | None = None) -> None:
        self.start = start
        self.end = 0
        self.parts: dict[str, tuple[int, _Table | Node | list[_Table]]] = {}

    def wrote(self, start: int, end: int) -> None:
        """Something of this table itself stands there."""
        self.start = start if self.start is None else min(self.start, start)
        self.end = max(self.end, end)

    def inner(self, key: str, at: int) -> _Table:
        """The table of this name, the last one where there are many."""
        _, found = self.parts.setdefault(key, (at, _Table()))
        if isinstance(found, list):
            return found[-1]
        if isinstance(found, Node):
            raise UnreadableError(1, f"{key} is both a value and a table")
        return found


def parse(text: str) -> Node:
    """The tables that a text holds. Raises UnreadableError."""
    if line := deep_key(text):
        raise UnreadableError(line, "this key has too many parts")
    try:
        data = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        found = _AT.search(str(error))
        line = int(found[1]) if found and found[1] else text.rstrip("\n").count("\n") + 1
        what = _AT.sub("", str(error))
        raise UnreadableError(line, f"this is not valid TOML: {what}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError(1, f"this is not valid TOML: {error}") from error
    node = _node(_Scan(text).document(), 0)
    if node.value != data and not _has_odd_values(data):
        raise UnreadableError(1, "this TOML is written in a way that cannot be followed")
    return node


def _has_odd_values(data: Any) -> bool:
    """Whether a value is not equal to itself (nan)."""
    if isinstance(data, dict):
        return any(_has_odd_values(value) for value in data.values())
    if isinstance(data, list):
        return any(_has_odd_values(value) for value in data)
    return bool(data != data)  # noqa: PLR0124 - only NaN differs from itself


def _node(table: _Table | Node | list[_Table], at: int) -> Node:
    if isinstance(table, Node):
        return table
    if isinstance(table, list):
        items = tuple(_node(one, at) for one in table)
        return Node([item.value for item in items], at, at, items=items, block=True)
    members = {key: Member(start, _node(part, start)) for key, (start, part) in table.parts.items()}
    plain = {key: member.node.value for key, member in members.items()}
    start = at if table.start is None else table.start
    return Node(plain, start, max(table.end, start), members, block=True)


class _Scan:
    """One pass over a text that `tomllib` has accepted; `at` is the place reached."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def document(self) -> _Table:
        root = table = _Table(0)
        self._skip(BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header(root)
            else:
                self._pair(table)
            self._skip(BLANK)
        return root

    def _header(self, root: _Table) -> _Table:
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        *parents, last = self._key()
        self.at += 2 if many else 1
        table = root
        for part in parents:
            table = table.inner(part, start)
        if many:
            _, found = table.parts.setdefault(last, (start, []))
            if isinstance(found, list):
                found.append(_Table(start))
        opened = table.inner(last, start)
        opened.wrote(start, self.at)
        return opened

    def _pair(self, table: _Table) -> None:
        start = self.at
        *parents, last = self._key()
        self._skip(SPACE)
        self.at += 1  # "="
        self._skip(SPACE)
        value = self._value(0)
        table.wrote(start, self.at)
        for part in parents:
            table = table.inner(part, start)
            table.wrote(start, self.at)
        table.parts[last] = (start, value)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(SPACE)
            found = self._match(KEY_PART)
            quoted = found[:1] in ('"', "'")
            parts.append(_plain(found) if quoted else found)
            if len(parts) > DEPTH_MAX:
                self._fail("values are nested too deep")
            self._skip(SPACE)
            if self.text[self.at : self.at + 1] != ".":
                return parts
            self.at += 1

    def _value(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            self._fail("values are nested too deep")
        start, sign = self.at, self.text[self.at : self.at + 1]
        if sign == "[":
            return self._array(depth)
        if sign == "{":
            return self._inline(depth)
        found = self._match(STRING if sign in ('"', "'") else _WORD)
        return Node(_plain(found), start, self.at)

    def _array(self, depth: int) -> Node:
        start, items = self.at, []
        self.at += 1
        while not self._closes("]"):
            items.append(self._value(depth + 1))
        return Node([item.value for item in items], start, self.at, items=tuple(items))

    def _inline(self, depth: int) -> Node:
        start, table = self.at, _Table()
        self.at += 1
        while not self._closes("}"):
            at = self.at
            *parents, last = self._key()
            self._skip(SPACE)
            self.at += 1  # "="
            self._skip(SPACE)
            inner = table
            for part in parents:
                inner = inner.inner(part, at)
            inner.parts[last] = (at, self._value(depth + 1))
        node = _node(table, start)
        return Node(node.value, start, self.at, node.members)

    def _closes(self, bracket: str) -> bool:
        self._skip(BLANK)
        if self.text[self.at : self.at + 1] == ",":
            self.at += 1
            self._skip(BLANK)
        if self.text[self.at : self.at + 1] != bracket:
            return False
        self.at += 1
        return True

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            self._fail("this TOML is written in a way that cannot be followed")
        self.at = found.end()
        return found[0]

    def _fail(self, what: str) -> NoReturn:
        raise UnreadableError(line_of(self.text, self.at), what)


def _plain(source: str) -> Any:
    """The value that a key's part or a scalar means."""
    return tomllib.loads(f"v = {source}".replace("\r\n", "\n"))["v"]
