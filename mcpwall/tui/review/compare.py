"""What changed between a call's arguments and those of the call before it that was like it. Pure.

A field is compared with the field of the same path; of long texts only the lines that differ are
shown, each hunk with the lines around it. This is a help for the eye and never replaces the full
arguments.
"""

from __future__ import annotations

import difflib
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from mcpwall.tui.review.layout import DOT, Row, flatten, safe, wrap
from mcpwall.tui.review.pieces import PIECE, value_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mcpwall.model import JsonObject
    from mcpwall.tui.review.rows import Piece

_LINES_MAX = 2_000  # texts with more lines are shown whole, old and new
_CONTEXT = 2
_MARK_CELLS = 2


class Change(msgspec.Struct, frozen=True):
    """One field: `mark` is "+" (new), "-" (gone), "~" (another value) or "=" (the same)."""

    mark: str
    path: str
    old: object = None
    new: object = None


def changes(before: JsonObject, after: JsonObject) -> list[Change]:
    """Every field of both, those that are still there first."""
    old, new = dict(flatten(before)), dict(flatten(after))
    found: list[Change] = []
    for path, value in new.items():
        if path not in old:
            found.append(Change("+", path, new=value))
        elif type(old[path]) is type(value) and old[path] == value:
            found.append(Change("=", path, value, value))
        else:
            found.append(Change("~", path, old[path], value))
    found += [Change("-", path, old=value) for path, value in old.items() if path not in new]
    return [change for change in found if change.path]  # empty arguments have no path


def compare_pieces(
    before: JsonObject, after: JsonObject, cells: int, *, whole: bool = False
) -> Iterator[Piece]:
    """The comparison of all fields, wrapped to `cells` terminal cells.

    With `whole` each value of `after` is there in full, changed or not: all that would run.
    """
    found = changes(before, after)
    if not found:
        yield lambda: [Row("", "no arguments then and now")]
    portion: list[Change] = []
    size = 0
    for change in found:
        length = sum(len(text) for text in (change.old, change.new) if isinstance(text, str))
        if portion and size + length > PIECE:
            yield partial(_rows, portion, cells, whole=whole)
            portion, size = [], 0
        if length > PIECE:
            yield from _pieces(change, cells, whole=whole)
        else:
            portion.append(change)
            size += length + len(change.path)
    if portion:
        yield partial(_rows, portion, cells, whole=whole)


def compare_rows(before: JsonObject, after: JsonObject, cells: int) -> list[Row]:
    """All rows of `compare_pieces`."""
    return [row for piece in compare_pieces(before, after, cells) for row in piece()]


def _rows(portion: list[Change], cells: int, *, whole: bool) -> list[Row]:
    pieces = (piece for change in portion for piece in _pieces(change, cells, whole=whole))
    return [row for piece in pieces for row in piece()]


def _pieces(change: Change, cells: int, *, whole: bool) -> Iterator[Piece]:
    room = cells - _MARK_CELLS
    yield lambda: [Row(part, "") for part in wrap(safe(change.path), cells)]
    if change.mark == "=" and not whole:
        yield lambda: [Row("", "the same", mark="=")]
    elif change.mark == "=":
        for part in value_pieces(change.new, room):
            yield partial(_value_rows, part, indent=_MARK_CELLS)
    elif change.mark == "~" and not whole and (lines := _both_lines(change)):
        yield partial(_line_change, *lines, room)
    else:
        for mark, value in (("-", change.old), ("+", change.new)):
            if change.mark in (mark, "~"):
                for part in value_pieces(value, room):
                    yield partial(_value_rows, part, mark=mark)


def _value_rows(part: Callable[[], list[str]], *, indent: int = 0, mark: str = "") -> list[Row]:
    return [Row("", text, indent, mark) for text in part()]


def _both_lines(change: Change) -> tuple[list[str], list[str]] | None:
    """The lines of both values, where these can be compared line by line."""
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str):
        before, after = old.split("\n"), new.split("\n")
        if min(len(before), len(after)) > 1 and max(len(before), len(after)) <= _LINES_MAX:
            return before, after
    return None


def _line_change(before: list[str], after: list[str], cells: int) -> list[Row]:
    rows: list[Row] = []
    for line in list(difflib.unified_diff(before, after, n=_CONTEXT, lineterm=""))[2:]:
        if line.startswith("@@"):
            rows.append(Row("", f"lines {line.strip('@ ')}", mark="="))
            continue
        row = Row("", "", mark="=" if line[0] == " " else line[0])
        text = safe(line[1:]).replace(" ", DOT)
        rows += [replace(row, value=part) for part in wrap(text, cells)]
    return rows
