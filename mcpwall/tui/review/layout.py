"""A call's arguments as safe lines of a given width: a field a line, nothing cut, nothing hidden.

Pure: JSON data in, lines out; the widget that draws them is `tui.widgets.fields`. Every line has
passed `mcpwall.text.visible`. A space is written `·` wherever its place or number could be misread.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from mcpwall.text import count_hidden, visible, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpwall.model import JsonObject

_PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_NARROW = re.compile("[ -~·␊␉‹›]*")  # characters of one cell each
_PIECE = re.compile(" +|[^ ]+")
_NAME_MAX = 24  # cells; a longer name gets rows of its own
_CELLS_MIN = 8
DOT = "·"


class Row(msgspec.Struct, frozen=True):
    """One row on screen. `name` and `value` are safe text; `name` is empty below the first row."""

    name: str
    value: str
    indent: int = 0  # cells in front of the value, where the name stands
    mark: str = ""  # in a comparison: "-" was, "+" is, "=" is the same


class Counts(msgspec.Struct, frozen=True):
    """What the arguments amount to, for the line under them."""

    fields: int
    lines: int  # lines of text in the values, not rows on screen
    hidden: int  # characters that a terminal would hide or obey


def flatten(arguments: object) -> Iterator[tuple[str, object]]:
    """Each leaf with its path, in order: `edits[0].newText`. Empty objects and lists are leaves."""
    stack: list[tuple[str, object]] = [("", arguments)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict) and value:
            below = [(_member(path, str(key)), item) for key, item in value.items()]
        elif isinstance(value, list) and value:
            below = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        else:
            yield path, value
            continue
        stack.extend(reversed(below))


def count(arguments: JsonObject) -> Counts:
    """Fields, lines and hidden characters of the arguments."""
    fields = lines = hidden = 0
    for path, value in flatten(arguments) if arguments else ():
        fields += 1
        hidden += count_hidden(path)
        if isinstance(value, str):
            lines += value.count("\n") + 1
            hidden += count_hidden(value)
        else:
            lines += 1
    return Counts(fields, lines, hidden)


def field_rows(arguments: JsonObject, cells: int) -> list[Row]:
    """The arguments, a field a line, wrapped to `cells` terminal cells."""
    if not arguments:
        return [Row("", "no arguments")]
    fields = [(safe(path), value) for path, value in flatten(arguments)]
    fitting = [w for name, _ in fields if (w := width(name)) <= min(_NAME_MAX, cells // 3)]
    indent = max(fitting, default=0) + 2
    rows: list[Row] = []
    for name, value in fields:
        first, *more = value_rows(value, cells - indent)
        if width(name) > indent - 2:
            rows += [Row(part, "") for part in wrap(name, cells)]
            rows.append(Row("", first, indent))
        else:
            rows.append(Row(name, first, indent))
        rows += [Row("", text, indent) for text in more]
    return rows


def raw_rows(arguments: JsonObject, cells: int) -> list[Row]:
    """The arguments as compact JSON, wrapped to `cells` terminal cells."""
    text = safe(msgspec.json.encode(arguments).decode()).replace(" ", DOT)
    return [Row("", row) for row in wrap(text, cells)]


def value_rows(value: object, cells: int) -> list[str]:
    """One value as rows of safe text, at most `cells` wide; never empty."""
    if not isinstance(value, str):
        return wrap(safe(msgspec.json.encode(value).decode()), cells)
    texts = [safe(line) for line in _lines(value)]
    texts[0] = '"' + texts[0]
    texts[-1] += '"'
    if len(texts) > 1 or width(texts[0]) > cells or _misleading(value):
        texts = [text.replace(" ", DOT) for text in texts]
    return [row for text in texts for row in wrap(text, cells)]


def wrap(text: str, cells: int) -> list[str]:
    """Safe text cut into rows of at most `cells` terminal cells; every character is kept."""
    cells = max(cells, _CELLS_MIN)
    if 2 * len(text) <= cells:  # no character takes more than two
        return [text]
    if _NARROW.fullmatch(text):
        return [text[at : at + cells] for at in range(0, len(text), cells)] or [""]
    rows, start, used = [], 0, 0
    for at, char in enumerate(text):
        wide = width(char)
        if used + wide > cells:
            rows.append(text[start:at])
            start, used = at, 0
        used += wide
    rows.append(text[start:])
    return rows


def prose(text: str, cells: int) -> list[str]:
    """A sentence of safe text in rows, broken between words; a word too long where the row ends.

    For sentences alone: the blank at a break is not shown. Arguments are wrapped by `wrap`.
    """
    rows = [""]
    for word in text.split(" "):
        if width(rows[-1]) + 1 + width(word) <= cells:
            rows[-1] += f" {word}" if rows[-1] else word
        else:
            rows += wrap(word, cells)
    return [row for row in rows if row] or [""]


def flowing(text: str, cells: int) -> list[str]:
    """A line of safe text in rows, broken between words; of blanks at a break one may not be shown.

    For what is only read, such as results: indents stay, and so do blanks in a row.
    """
    rows = [""]
    for piece in _PIECE.findall(text):
        free = cells - width(rows[-1])
        if width(piece) <= free:
            rows[-1] += piece
        elif piece.isspace():
            rows[-1] += piece[:free]
            rows += wrap(piece[free + 1 :], cells)
        else:
            rows[len(rows) - (not rows[-1]) :] = wrap(piece, cells)
    return rows


def _member(path: str, key: str) -> str:
    """The path of a member: a name that could be read as a path or as nothing is quoted."""
    name = key if _PLAIN_NAME.fullmatch(key) else msgspec.json.encode(key).decode()
    return f"{path}.{name}" if path else name


def _misleading(text: str) -> bool:
    """Whether plain spaces could be miscounted: at an end, in a row, or beside a tab."""
    return text != text.strip() or bool(re.search(r"\s\s|\t", text))


def _lines(text: str) -> list[str]:
    """The lines of a text, each with its line end."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def safe(text: str) -> str:
    """Text made visible, in which a `·` can only stand for a space."""
    return visible(text).replace(DOT, "‹U+00B7›")
