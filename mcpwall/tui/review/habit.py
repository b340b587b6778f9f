"""The same answer again and again: when a rule would save the person the question. Pure.

A rule is only offered, never made: the person reads it in the form, and saves it or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcpwall.tui.globs import literal

if TYPE_CHECKING:
    from mcpwall.engine.port_calls import Row
    from mcpwall.model import JsonObject

OFTEN = 5  # identical answers after which a rule is offered


@dataclass
class Habit:
    """Counts answers in a row by agent's client, server and tool; another answer starts anew."""

    _counts: dict[tuple[str, str, str, str], tuple[bool, int]] = field(default_factory=dict)

    def answered(self, row: Row, *, allow: bool) -> int:
        """Note an answer; how many of them there were like it in a row."""
        kind = (row.client, row.server, row.method, row.tool)
        before, count = self._counts.get(kind, (allow, 0))
        count = count + 1 if before is allow else 1
        self._counts[kind] = (allow, count)
        return count


def offered(row: Row, *, allow: bool) -> JsonObject:
    """The table of the rule that gives this answer to every call of this tool, by this client."""
    table: JsonObject = {"server": literal(row.server), "tool": literal(row.tool)}
    if allow:
        table["agent"] = literal(row.client)
    if row.method != "tools/call":
        table["method"] = literal(row.method)
    return table | {"action": "approve" if allow else "deny"}
