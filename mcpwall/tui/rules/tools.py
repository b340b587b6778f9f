"""Which of the known tools a rule is about, in a few words and as a list. Pure.

The engine says which they are; names come of servers and pass `safe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.review.layout import safe, wrap
from mcpwall.tui.widgets.lines import Line, Part, cells
from mcpwall.tui.words import RISKS, many

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpwall.engine.port_tools import ServerRow, ToolsMatched

_ENTER = "   ↵ list them"
_RISK = 9  # cells of a risk's word and the gap before it


def how_many(told: ToolsMatched, room: int, *, enter: bool) -> Line:
    """How many tools match, in `room` cells; `enter`: that key would list them now."""
    matched = sum(map(len, told.matched.values()))
    if not told.known:
        return _fitting(room, ("no tool is known yet", "dim"), ("none known", "dim"))
    if not matched:
        none, style = "matches none of", "warn"
        return _fitting(
            room,
            (f"{none} {many(told.known, 'tool')}", style),
            ("matches none", style),
            ("0", style),
        )
    tools, servers = many(matched, "tool"), many(len(told.matched), "server")
    hint: list[Part] = [(_ENTER, "accent")] if enter else []
    words = (f"matches {tools} on {servers}", f"{tools} on {servers}", tools, f"{matched}")
    for text in words:
        if cells([(text, ""), *hint]) <= room:
            return [(text, "dim"), *hint]
    return _fitting(room, *((text, "dim") for text in words))


def listed(told: ToolsMatched, servers: Mapping[str, ServerRow], room: int) -> list[Line]:
    """All of them by their server, with the class of risk of those that the app knows."""
    lines: list[Line] = []
    for server, names in sorted(told.matched.items()):
        known = (
            {tool.name: tool.risk for tool in servers[server].tools} if server in servers else {}
        )
        title = f"{safe(server)}: {many(len(names), 'tool')}"
        lines += [[], *([(f" {part}", "title")] for part in wrap(title, room - 2))]
        for name in sorted(names):
            first, *more = wrap(safe(name), room - _RISK - 4)
            word, style = RISKS[known[name]] if name in known else ("", "")
            lines.append([(f"   {word:{_RISK}}", style), (first, "")])
            lines += [[(" " * (_RISK + 3) + part, "")] for part in more]
    return lines[1:] or [[(" no tool that is known matches", "dim")]]


def _fitting(room: int, *parts: Part) -> Line:
    """The first of these that fits, else the last."""
    return [next((part for part in parts if cells([part]) <= room), parts[-1])]
