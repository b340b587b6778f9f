"""A call's arguments cut into pieces, each laid out by itself: for arguments however large. Pure.

A piece has some thousands of characters, so that nobody waits for one. Where fields are small it
has many of them, and a long text is cut where a row ends: what is on screen is what it would be
without pieces, but for a row that may be shorter where hidden or wide characters stand in a line of
more than a piece.
"""

from __future__ import annotations

from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

import msgspec

from mcpwall.text import count_hidden, cut_at, width
from mcpwall.tui.review.layout import (
    CELLS_MIN,
    DOT,
    Counts,
    Row,
    flatten,
    lines_of,
    safe,
    value_rows,
    wrap,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mcpwall.model import JsonObject
    from mcpwall.tui.review.rows import Piece

    Field = tuple[str, object]

PIECE = 8_192  # characters
_FIELD = 32  # characters that a field counts besides its own
_NAMES = 1_000  # fields up to which their names say how wide their column is
_NAME_MAX = 24  # cells; a longer name gets rows of its own


def field_pieces(arguments: JsonObject, cells: int) -> Iterator[Piece]:
    """The arguments, a field a line, wrapped to `cells` terminal cells."""
    if not arguments:
        yield lambda: [Row("", "no arguments")]
        return
    fields = flatten(arguments)
    first = list(islice(fields, _NAMES))
    widest = min(_NAME_MAX, cells // 3)
    if len(first) < _NAMES:
        widths = (width(safe(path)) for path, _ in first)
        widest = max((wide for wide in widths if wide <= widest), default=0)
    indent = widest + 2
    for portion in _portions(chain(first, fields)):
        name, value = portion[0]
        if isinstance(value, str) and len(value) > PIECE:
            for number, part in enumerate(value_pieces(value, cells - indent)):
                yield partial(_part_of_field, "" if number else name, part, indent, cells)
        else:
            yield partial(_whole_fields, portion, indent, cells)


def raw_pieces(arguments: JsonObject, cells: int) -> Iterator[Piece]:
    """The arguments as compact JSON, wrapped to `cells` terminal cells."""
    text = msgspec.json.encode(arguments).decode()
    for start, end in _cuts(text, cells):
        yield partial(_raw_rows, text, start, end, cells)


def field_rows(arguments: JsonObject, cells: int) -> list[Row]:
    """All rows of `field_pieces`."""
    return [row for piece in field_pieces(arguments, cells) for row in piece()]


def value_pieces(value: object, cells: int) -> Iterator[Callable[[], list[str]]]:
    """One value as rows of safe text, at most `cells` wide; a long text in more than one piece."""
    if not isinstance(value, str) or len(value) <= PIECE:
        yield partial(value_rows, value, cells)
        return
    for start, end in _cuts(value, cells, quote=1):
        yield partial(_text_rows, value, start, end, cells)


def counting(arguments: JsonObject) -> Iterator[Counts]:
    """What the arguments amount to, piece by piece: the last one counts all."""
    fields = lines = hidden = 0
    for portion in _portions(flatten(arguments)) if arguments else ():
        for path, value in portion:
            fields += 1
            lines += 1
            hidden += count_hidden(path)
            if not isinstance(value, str):
                continue
            lines += value.count("\n")
            for start, end in _cuts(value, 1):
                hidden += count_hidden(value[start:end])
                if end < len(value):
                    yield Counts(fields, lines, hidden)
        yield Counts(fields, lines, hidden)
    yield Counts(fields, lines, hidden)


def count(arguments: JsonObject) -> Counts:
    """Fields, lines and hidden characters of the arguments."""
    *_, counts = counting(arguments)
    return counts


def _portions(fields: Iterable[Field]) -> Iterator[list[Field]]:
    """Fields in portions of about a piece; a text that is longer stands alone."""
    portion: list[Field] = []
    size = 0
    for path, value in fields:
        length = len(value) if isinstance(value, str) else 0
        if portion and size + length > PIECE:
            yield portion
            portion, size = [], 0
        portion.append((path, value))
        size += len(path) + length + _FIELD
    if portion:
        yield portion


def _cuts(text: str, cells: int, quote: int = 0) -> Iterator[tuple[int, int]]:
    """Start and end of each piece of a text: behind a line end, else where a row of `cells` ends.

    `quote` cells of the first row are taken.
    """
    start, row = 0, max(cells, CELLS_MIN)
    while start < len(text):
        end = len(text)
        if end - start > PIECE:
            end = text.rfind("\n", start, start + PIECE) + 1
            if not end:
                rows = start + PIECE // row * row
                end = cut_at(text, rows if start else rows - quote)
        yield start, end
        start = end


def _whole_fields(fields: list[Field], indent: int, cells: int) -> list[Row]:
    return [
        row
        for name, value in fields
        for row in _part_of_field(name, partial(value_rows, value, cells - indent), indent, cells)
    ]


def _part_of_field(path: str, part: Callable[[], list[str]], indent: int, cells: int) -> list[Row]:
    """Rows of a field's value, the first with the field's name if that is given."""
    name, (first, *more) = safe(path), part()
    if width(name) > indent - 2:
        rows = [*(Row(part, "") for part in wrap(name, cells)), Row("", first, indent)]
    else:
        rows = [Row(name, first, indent)]
    return [*rows, *(Row("", text, indent) for text in more)]


def _text_rows(text: str, start: int, end: int, cells: int) -> list[str]:
    """Rows of a part of a long text, in quotes where it begins and ends."""
    lines = [safe(line).replace(" ", DOT) for line in lines_of(text[start:end])]
    lines[0] = lines[0] if start else f'"{lines[0]}'
    lines[-1] = lines[-1] if end < len(text) else f'{lines[-1]}"'
    return [row for line in lines for row in wrap(line, cells)]


def _raw_rows(text: str, start: int, end: int, cells: int) -> list[Row]:
    return [Row("", row) for row in wrap(safe(text[start:end]).replace(" ", DOT), cells)]
