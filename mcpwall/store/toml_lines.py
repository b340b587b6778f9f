"""Where each key of a TOML text stands, so that an error can name a line.

The parsers at hand forget positions. This scan follows TOML's grammar (toml.io, v1.0.0) just far
enough to know keys from values: it takes text that `tomllib` has accepted, and decides nothing.
"""

from __future__ import annotations

import bisect
import itertools
import re
import tomllib
from typing import NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys from the top of the document; a number counts the tables or elements of an array."""

MAX_DEPTH = 100
"""Parts of one dotted key, so that paths stay short however hostile a text is."""

# the grammar, for whoever looks for places in such a text
KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
SPACE = re.compile(r"[ \t]*")
BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")  # also the comments between array elements
STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""",
    re.DOTALL,
)
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")  # numbers, booleans, dates (which may hold a space)
# tomllib's time and memory grow with the square of a dotted key's parts.
_DEEP_KEY = re.compile(
    r"""(?:^[ \t]*+\[{0,2}|[{,])"""
    r"""(?:[ \t]*+(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.){20}""",
    re.MULTILINE | re.ASCII,
)


class Header(NamedTuple):
    """A line like `[defaults]` or `[[rules]]`, and the table that it opens.

    `after` is the line where the last key or header before it ends, 0 when it is the first:
    between the two stand only comments and empty lines.
    """

    path: Path
    line: int
    array: bool
    after: int


class Positions(NamedTuple):
    """Lines, counted from 1, of a document's keys and of its headers in order.

    `end` is the line where the last key or header ends.
    """

    lines: dict[Path, int]
    headers: tuple[Header, ...]
    end: int

    def line(self, path: Path) -> int:
        """The line of a key or table; of the nearest table around it when it is not written."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return 1


def deep_key(text: str) -> int:
    """The line of a dotted key of so many parts that no parser should get it; 0 for none.

    Also of a text within a string that looks like one.
    """
    deep = _DEEP_KEY.search(text)
    return text.count("\n", 0, deep.end()) + 1 if deep else 0


def positions(text: str) -> Positions:
    """Where everything stands in a valid TOML text. Raises RecursionError for deep nesting."""
    return _Scan(text).document()


class _Scan:
    """One pass over the text. `_at` is the place reached, all else is what was seen before."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._newlines = [found.start() for found in re.finditer("\n", text)]
        self._lines: dict[Path, int] = {}
        self._headers: list[Header] = []
        self._tables: dict[Path, int] = {}  # arrays of tables: how many were opened

    def document(self) -> Positions:
        table: Path = ()
        end = 0
        self._skip(BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header(end)
            else:
                self._pair(table)
            end = self._line()
            self._skip(BLANK)
        return Positions(self._lines, tuple(self._headers), end)

    def _header(self, after: int) -> Path:
        line = self._line()
        array = self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        *parents, last = self._key()
        self._at += 2 if array else 1
        path: Path = ()
        for part in parents:
            path = self._newest((*path, part))
            self._lines.setdefault(path, line)
        path = (*path, last)
        self._lines.setdefault(path, line)
        if array:
            self._tables[path] = self._tables.get(path, 0) + 1
            path = self._newest(path)
            self._lines[path] = line
        self._headers.append(Header(path, line, array, after))
        return path

    def _newest(self, path: Path) -> Path:
        """The table that a name means here: of an array of tables, the one opened last."""
        count = self._tables.get(path)
        return path if count is None else (*path, count - 1)

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for part in self._key():
            path = (*path, part)
            self._lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._skip(SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        """A dotted key, with the space around it."""
        parts = []
        while True:
            self._skip(SPACE)
            part = self._skip(KEY_PART)
            parts.append(_plain_key(part))
            if len(parts) > MAX_DEPTH:
                raise RecursionError
            self._skip(SPACE)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _value(self, path: Path) -> None:
        match self._text[self._at]:
            case "[":
                for index in itertools.count():
                    if not self._enter("]"):
                        return
                    self._lines[*path, index] = self._line()
                    self._value((*path, index))
            case "{":
                while self._enter("}"):
                    self._pair(path)
            case '"' | "'":
                self._skip(STRING)
            case _:
                self._skip(_BARE_VALUE)

    def _enter(self, end: str) -> bool:
        """Step over the bracket or comma before the next element; False at the end."""
        self._skip(BLANK)
        if self._text[self._at] != end:
            self._at += 1
            self._skip(BLANK)
        if self._text[self._at] != end:
            return True
        self._at += 1
        return False

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            message = f"no valid TOML at character {self._at}"
            raise ValueError(message)
        self._at = found.end()
        return found.group()

    def _line(self) -> int:
        return bisect.bisect_left(self._newlines, self._at) + 1


def _plain_key(part: str) -> str:
    if part[0] not in "\"'":
        return part
    if "\\" not in part:
        return part[1:-1]
    key: str = tomllib.loads(f"key = {part}")["key"]
    return key
