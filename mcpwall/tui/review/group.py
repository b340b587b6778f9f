"""Alike calls that wait: what they have in common once, and of each only what differs. Pure.

Alike are calls of one agent to one tool with the same argument names. Nothing of them is left out:
what stands in a column stands there whole, else each value has lines of its own.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from mcpwall.text import width
from mcpwall.tui.review.layout import Row, flowing, safe, value_rows
from mcpwall.tui.review.pieces import field_rows
from mcpwall.tui.words import called, wants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mcpwall.engine.port_calls import Held
    from mcpwall.model import JsonObject

_COLUMN_MAX = 40  # cells; a longer value has lines of its own
_GAP = 2
_NUMBER = 8  # cells for a call's number


def groups(waiting: Iterable[Held]) -> list[list[Held]]:
    """Alike calls together, the soonest deadline first; every call is in one group."""
    by_kind = sorted(waiting, key=kind)
    found = [list(group) for _, group in groupby(by_kind, key=kind)]
    for group in found:
        group.sort(key=lambda held: held.deadline_ms)
    return sorted(found, key=lambda group: group[0].deadline_ms)


def kind(held: Held) -> tuple[str, ...]:
    """What alike calls have in common: agent, server, method, tool and argument names."""
    row = held.row
    return (str(held.late), row.agent, row.server, row.method, row.tool, *sorted(held.arguments))


def alike(held: Held, waiting: Iterable[Held]) -> list[Held]:
    """The calls that are like this one, itself among them, the soonest deadline first."""
    each = {call.row.id: call for call in (*waiting, held)}
    return next(group for group in groups(each.values()) if held in group)


def shared(calls: Sequence[Held]) -> JsonObject:
    """The arguments that have one value in all calls."""
    first, *others = calls
    return {
        name: value
        for name, value in first.arguments.items()
        if all(_exact(other.arguments[name]) == _exact(value) for other in others)
    }


def group_rows(calls: Sequence[Held], cells: int) -> list[Row]:
    """The common arguments in full, then each call with those in which it differs."""
    common = shared(calls)
    names = [name for name in calls[0].arguments if name not in common]
    rows: list[Row] = []
    if common or not names:
        rows = [Row("in all of them", ""), *field_rows(common, cells), Row("", "")]
    table = _table(calls, names, cells)
    return rows + (table or _blocks(calls, names, cells))


def _table(calls: Sequence[Held], names: Sequence[str], cells: int) -> list[Row]:
    """One line for each call, if every value fits into its column; else nothing."""
    columns: list[list[str]] = []
    for name in names:
        values = [value_rows(call.arguments[name], _COLUMN_MAX) for call in calls]
        if any(len(value) > 1 for value in values):
            return []
        columns.append([safe(name), *(value[0] for value in values)])
    widths = [max(map(width, column)) + _GAP for column in columns]
    if sum(widths) + _NUMBER > cells:
        return []

    def line(at: int) -> str:
        pairs = zip(columns, widths, strict=True)
        return "".join(column[at] + " " * (wide - width(column[at])) for column, wide in pairs)

    return [
        Row("call", line(0), _NUMBER),
        *(Row(str(c.row.id), line(at), _NUMBER) for at, c in enumerate(calls, 1)),
    ]


def _blocks(calls: Sequence[Held], names: Sequence[str], cells: int) -> list[Row]:
    rows: list[Row] = []
    for call in calls:
        rows.append(Row(f"call {call.row.id}", ""))
        rows += field_rows({name: call.arguments[name] for name in names}, cells)
        rows.append(Row("", ""))
    return rows[:-1]


def differs(calls: Sequence[Held]) -> str:
    """The names of the arguments in which the calls differ, in words; safe text."""
    common = shared(calls)
    names = [safe(name) for name in calls[0].arguments if name not in common]
    if not names:
        return "the same arguments in all"
    return f"they differ only in {', '.join(names)}"


def title(calls: Sequence[Held], room: int) -> list[str]:
    """Who wants to run how many of what, in rows of safe text."""
    row = calls[0].row
    text = f"{wants(row)} {called(row)} {len(calls)} times"
    return flowing(safe(text), room)


def _exact(value: object) -> bytes:
    return msgspec.json.encode(value, order="deterministic")
