"""One rule from several calls: what they have in common, and the names of what differs. Pure.

Nothing is saved by it: the person reads the rule in the form, with what it would have done.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from mcpwall.tui.globs import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mcpwall.engine.port_calls import Row
    from mcpwall.model import JsonObject

_PLAIN = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)  # names that are argument paths as they stand
_ANY = "any"  # in a rule it means every text of the call
_MARK = "⟨secret "  # stands for what is hidden: no call has it
_TOML_INT = 2**63


def fields_from_calls(rows: Sequence[Row], arguments: Sequence[JsonObject | None]) -> JsonObject:
    """A rule that denies calls like all of these; `arguments` has None where they are not known.

    For calls of one tool the arguments that all of them share are conditions; several tools,
    servers and methods are listed.
    """
    table: JsonObject = {"server": _names(row.server for row in rows)}
    if all(row.tool for row in rows):
        table["tool"] = _names(row.tool for row in rows)
    methods = _names(row.method for row in rows)
    if methods != "tools/call":
        table["method"] = methods
    if len({row.tool for row in rows}) == 1 and (when := _shared(arguments)):
        table["when"] = when
    return table | {"action": "deny"}


def _names(names: Iterable[str]) -> str | list[str]:
    found = [literal(name) for name in dict.fromkeys(names)]
    return found[0] if len(found) == 1 else found


def _shared(calls: Sequence[JsonObject | None]) -> JsonObject:
    """Conditions on the arguments that have the same value in every call."""
    known = [arguments for arguments in calls if arguments is not None]
    if len(known) < len(calls):
        return {}
    return {
        name: {"equals": value}
        for name, value in known[0].items()
        if _can_be_told(name, value) and all(_same(value, name, other) for other in known[1:])
    }


def _same(value: Any, name: str, other: JsonObject) -> bool:
    """Whether a call has this value too, of the same kind: `true` is not 1."""
    return name in other and json.dumps(value, sort_keys=True) == json.dumps(
        other[name], sort_keys=True
    )


def _can_be_told(name: str, value: Any) -> bool:
    """Whether a condition can say this: TOML has no null, and a hidden secret is not known."""
    if not _PLAIN.fullmatch(name) or name == _ANY:
        return False
    left = [value]
    while left:
        part = left.pop()
        if part is None or (isinstance(part, str) and _MARK in part):
            return False
        if isinstance(part, int) and not -_TOML_INT <= part < _TOML_INT:
            return False
        if isinstance(part, list):
            left += part
        elif isinstance(part, dict):
            left += part.values()
    return True
