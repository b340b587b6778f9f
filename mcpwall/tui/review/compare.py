"""What changed between a call's arguments and those of the call before it that was like it. Pure.

A field is compared with the field of the same path; of long texts only the lines that differ are
shown, each hunk with the lines around it. This is a help for the eye and never replaces the full
arguments.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from mcpwall.tui.review.layout import DOT, Row, flatten, safe, value_rows, wrap

if TYPE_CHECKING:
    from mcpwall.model import JsonObject

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


def compare_rows(
    before: JsonObject, after: JsonObject, cells: int, *, whole: bool = False
) -> list[Row]:
    """The comparison of all fields, wrapped to `cells` terminal cells.

    With `whole` each value of `after` is there in full, changed or not: all that would run.
    """
    rows: list[Row] = []
    room = cells - _MARK_CELLS
    for change in changes(before, after):
        rows += [Row(part, "") for part in wrap(safe(change.path), cells)]
        match change.mark:
            case "=" if whole:
                rows += [Row("", text, _MARK_CELLS) for text in value_rows(change.new, room)]
            case "=":
                rows.append(Row("", "the same", mark="="))
            case "~" if whole:
                rows += _marked("-", change.old, room) + _marked("+", change.new, room)
            case "~":
                rows += _value_change(change.old, change.new, room)
            case "-":
                rows += _marked("-", change.old, room)
            case "+":
                rows += _marked("+", change.new, room)
    return rows or [Row("", "no arguments then and now")]


def _marked(mark: str, value: object, cells: int) -> list[Row]:
    return [Row("", text, mark=mark) for text in value_rows(value, cells)]


def _value_change(old: object, new: object, cells: int) -> list[Row]:
    if isinstance(old, str) and isinstance(new, str):
        before, after = old.split("\n"), new.split("\n")
        if min(len(before), len(after)) > 1 and max(len(before), len(after)) <= _LINES_MAX:
            return _line_change(before, after, cells)
    return _marked("-", old, cells) + _marked("+", new, cells)


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
