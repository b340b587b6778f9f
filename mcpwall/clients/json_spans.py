"""JSON, and JSON with comments and trailing commas, read with the place of every value. Pure.

Editors' settings are JSON with comments, agents' own files are mostly plain JSON; one reader takes
both, and what neither would take is an error with its line.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from mcpwall.clients.nodes import DEPTH_MAX, Member, Node, UnreadableError, line_of

_BLANK: Final = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*+"')
_WORD: Final = re.compile(r"-?[A-Za-z0-9.+-]+")


def parse(text: str) -> Node:
    """The value that a text holds. Raises UnreadableError."""
    reader = _Reader(text)
    reader.blank()
    node = reader.value(0)
    reader.blank()
    if reader.at < len(text):
        reader.fail("something follows the end of the value")
    return node


class _Reader:
    """One pass over the text; `at` is the place reached."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, what: str) -> NoReturn:
        raise UnreadableError(line_of(self.text, self.at), what)

    def blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def value(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            self.fail("values are nested too deep")
        sign = self.text[self.at : self.at + 1]
        if sign == "{":
            return self._object(depth)
        if sign == "[":
            return self._array(depth)
        if sign == '"':
            return self._string()
        return self._word()

    def _object(self, depth: int) -> Node:
        start = self.at
        members: dict[str, Member] = {}
        doubled = set()
        self.at += 1
        while not self._closes("}"):
            if self.text[self.at : self.at + 1] != '"':
                self.fail('a key in double quotes, or "}", should stand here')
            at = self.at
            key = self._string().value
            self.blank()
            if self.text[self.at : self.at + 1] != ":":
                self.fail('":" should stand after the key')
            self.at += 1
            self.blank()
            if key in members:
                doubled.add(key)
            members[key] = Member(at, self.value(depth + 1))
            self._comma("}")
        plain = {key: member.node.value for key, member in members.items()}
        return Node(plain, start, self.at, members, doubled=frozenset(doubled))

    def _array(self, depth: int) -> Node:
        start = self.at
        items: list[Node] = []
        self.at += 1
        while not self._closes("]"):
            items.append(self.value(depth + 1))
            self._comma("]")
        return Node([item.value for item in items], start, self.at, items=tuple(items))

    def _closes(self, bracket: str) -> bool:
        self.blank()
        if self.text[self.at : self.at + 1] != bracket:
            return False
        self.at += 1
        return True

    def _comma(self, bracket: str) -> None:
        """Go past a comma; without one, the closing bracket has to follow."""
        self.blank()
        sign = self.text[self.at : self.at + 1]
        if sign == ",":
            self.at += 1
        elif sign != bracket:
            self.fail(f'"," or "{bracket}" should stand here')

    def _string(self) -> Node:
        found = _STRING.match(self.text, self.at)
        if found is None:
            self.fail("this string has no end in its line")
        try:
            value = json.loads(found[0])
        except ValueError:
            self.fail("this string has an escape that JSON does not know")
        start, self.at = self.at, found.end()
        return Node(value, start, self.at)

    def _word(self) -> Node:
        found = _WORD.match(self.text, self.at)
        try:
            value: Any = json.loads(found[0] if found else "")
        except ValueError:
            self.fail("a value should stand here")
        start, self.at = self.at, found.end() if found else self.at
        return Node(value, start, self.at)
