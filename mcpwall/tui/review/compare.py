"""What changed between a call's arguments and those of the call before it that was like it. Pure.

A field is compared with the field of the same path; of long texts only the lines that differ are
shown, each hunk with the lines around it. This is a help for the eye and never replaces the full
arguments.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from mcpwall.tui.review.layout import DOT, Row, flatten, safe, value_rows, wrap

if TYPE_CHECKING:
    from mcpwall.model import JsonObject

_LINES_MAX = 2_000  # texts with more lines are shown whole, old and new
_CONTEXT = 2
_MARK_CELLS = 2
_MISSING = object()


def changed_fields(before: JsonObject, after: JsonObject) -> dict[str, str]:
    """Each path with "+" (new), "-" (gone), "~" (other value) or "=" (the same)."""
    old, new = dict(flatten(before)), dict(flatten(after))
    marks = {path: _mark(old.get(path, _MISSING), value) for path, value in new.items()}
    marks.update({path: "-" for path in old if path not in new})
    marks.pop("", None)  # the path of arguments that are empty
    return marks


def compare_rows(before: JsonObject, after: JsonObject, cells: int) -> list[Row]:
    """The whole comparison, wrapped to `cells` terminal cells."""
    old, new = dict(flatten(before)), dict(flatten(after))
    rows: list[Row] = []
    for path, mark in changed_fields(before, after).items():
        name = safe(path)
        if mark == "=":
            rows += _named(name, [Row("", "the same", mark="=")], cells)
        elif mark == "~":
            rows += _named(name, _value_change(old[path], new[path], cells - _MARK_CELLS), cells)
        else:
            value = old[path] if mark == "-" else new[path]
            rows += _named(name, _marked(mark, value, cells - _MARK_CELLS), cells)
    return rows or [Row("", "no arguments then and now")]


def _mark(old: object, new: object) -> str:
    if old is _MISSING:
        return "+"
    return "=" if type(old) is type(new) and old == new else "~"


def _named(name: str, rows: list[Row], cells: int) -> list[Row]:
    return [*(Row(part, "") for part in wrap(name, cells)), *rows]


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
