"""Values as safe lines of a given width: nothing cut, nothing hidden.

Pure: JSON data in, lines out; `review.pieces` puts a call's arguments together of them, and the
widget `tui.widgets.fields` draws these. Every line has passed `mcpwall.text.visible`. A space is
written `·` wherever its place or number could be misread.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from rich.cells import get_character_cell_size as cell_size

from mcpwall.text import visible, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpwall.model import JsonObject

_PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_NARROW = re.compile("[ -~·␊␉‹›]*")  # characters of one cell each
_PIECE = re.compile(" +|[^ ]+")
CELLS_MIN = 8
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
    stack = [iter([("", arguments)])]
    while stack:
        for path, value in stack[-1]:
            if isinstance(value, dict | list) and value:
                stack.append(_below(path, value))
                break
            yield path, value
        else:
            stack.pop()


def _below(path: str, value: JsonObject | list[object]) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        return ((_member(path, str(key)), item) for key, item in value.items())
    return ((f"{path}[{index}]", item) for index, item in enumerate(value))


def value_rows(value: object, cells: int) -> list[str]:
    """One value as rows of safe text, at most `cells` wide; never empty."""
    if not isinstance(value, str):
        return wrap(safe(msgspec.json.encode(value).decode()), cells)
    texts = [safe(line) for line in lines_of(value)]
    texts[0] = '"' + texts[0]
    texts[-1] += '"'
    if len(texts) > 1 or width(texts[0]) > cells or _misleading(value):
        texts = [text.replace(" ", DOT) for text in texts]
    return [row for text in texts for row in wrap(text, cells)]


def wrap(text: str, cells: int) -> list[str]:
    """Safe text cut into rows of at most `cells` terminal cells; every character is kept."""
    cells = max(cells, CELLS_MIN)
    if 2 * len(text) <= cells:  # no character takes more than two
        return [text]
    if _NARROW.fullmatch(text):
        return [text[at : at + cells] for at in range(0, len(text), cells)] or [""]
    rows, start, used = [], 0, 0
    for at, char in enumerate(text):
        wide = cell_size(char)
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


def lines_of(text: str) -> list[str]:
    """The lines of a text, each with its line end."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def safe(text: str) -> str:
    """Text made visible, in which a `·` can only stand for a space."""
    return visible(text).replace(DOT, "‹U+00B7›")
