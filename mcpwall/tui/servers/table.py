"""Servers and their tools as lines: a tree of two levels, and all about the selected one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mcpwall.engine.port_tools import Pin
from mcpwall.text import clip, column, width
from mcpwall.tui.review.layout import prose, safe
from mcpwall.tui.servers.lives import standing, story
from mcpwall.tui.timing import stamp
from mcpwall.tui.widgets.lines import filled
from mcpwall.tui.words import RISKS, many

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import tzinfo

    from mcpwall.engine.port_tools import Inspected, ServerRow, ToolRow
    from mcpwall.tui.widgets.lines import Line, Part

PINS = {
    Pin.PINNED: ("● same", "ok"),
    Pin.NEW: ("▲ new", "warn"),
    Pin.CHANGED: ("▲ changed", "alarm"),
    Pin.DOUBLED: ("▲ twice", "alarm"),
    Pin.GONE: ("○ gone", "dim"),
}
RULE_STYLES = {"deny": "bad", "ask": "waiting", "allow": "ok"}
_SLIM = 60  # cells below which the rule is told of the selected tool alone
_NARROW = 80  # and below which so is how often it is called now
_NOW = 10  # cells for that
_NAME_MIN = 16
_PIN = 10  # cells for the pin
_BROAD = 110  # cells from which all columns have room


class Node(NamedTuple):
    """A line of the tree: a server, or one of its tools."""

    server: ServerRow
    tool: ToolRow | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by."""
        return (self.server.name, self.tool.name if self.tool else "")

    @property
    def waits(self) -> bool:
        """Whether a person's consent is wanted for it."""
        if self.tool:
            return self.tool.pin in (Pin.NEW, Pin.CHANGED)
        return self.server.new or self.server.instructions_changed


def nodes(servers: Iterable[ServerRow], folded: Collection[str]) -> list[Node]:
    """The tree, servers by name; of a folded one only those tools that wait for a person."""
    found: list[Node] = []
    for server in sorted(servers, key=lambda server: server.name):
        found.append(Node(server))
        tools = [Node(server, tool) for tool in sorted(server.tools, key=lambda tool: tool.name)]
        found += [node for node in tools if server.name not in folded or node.waits]
    return found


class Columns(NamedTuple):
    """Widths in cells; 0 leaves a column out."""

    name: int
    hints: int
    rule: int
    now: int


def columns(room: int) -> Columns:
    """What fits into `room` cells."""
    free = room - 9 - 9 - 12 - 2  # risk, calls, pin
    if room < _SLIM:
        return Columns(free + 3, 0, 0, 0)
    if room < _BROAD:
        now = _NOW if room >= _NARROW else 0
        rule = min(18, free - _NAME_MIN)
        return Columns(free - rule - now, 0, rule, now)
    return Columns(free - 28 - 24 - _NOW, 28, 24, _NOW)


def heading(widths: Columns) -> Line:
    """The names of the columns."""
    hints = f"{'ITS SERVER CLAIMS':{widths.hints}}" if widths.hints else ""
    rule = f"{'RULE':{widths.rule}}" if widths.rule else ""
    now = f"{'NOW':{widths.now}}" if widths.now else ""
    name = column("SERVER / TOOL", widths.name - 1)
    return [(f"  {name} {'RISK':9}{hints}{'CALLS':>7}  {now}{rule}PIN", "dim")]


def server_line(
    server: ServerRow, widths: Columns, now_ms: float, zone: tzinfo | None, *, folded: bool
) -> Line:
    """A server: how it is reached behind its name, how it stands behind its calls."""
    mark, style = "", "ok"
    if server.instructions_changed:
        mark, style = "▲ changed", "alarm"
    elif server.new:
        mark, style = "▲ new", "warn"
    name, middle, behind = widths.name - 1, 9 + widths.hints, widths.now + widths.rule
    about, about_style = f"{safe(server.transport)}  {many(len(server.tools), 'tool')}", "dim"
    about += "" if server.whole else " so far"
    about += f"  {server.sessions} sessions" if server.sessions > 1 and widths.hints else ""
    free = behind - 1 if mark else behind + _PIN
    stands = standing(server, now_ms, zone, free)
    if not behind:  # how it stands is all that there is room for
        (about, about_style), stands = standing(server, now_ms, zone, middle + name // 2), ("", "")
    if not widths.hints:  # no room of its own: it follows the name, into the column of the risk
        name = min(width(safe(server.name)), max(name - width(about) + middle - 3, name // 2))
        middle += widths.name - 1 - name
    return [
        (f" {'▸' if folded else '▾'}", "accent"),
        (column(server.name, name) + " ", "strong"),
        (_fill(f"{'' if widths.hints else ' '}{about}", middle), about_style),
        (f"{server.calls:>7,}  ", ""),
        (filled(stands[0], behind if mark else max(behind, width(stands[0]))), stands[1]),
        (mark, style),
    ]


def tool_line(tool: ToolRow, widths: Columns, now: str) -> Line:
    """A tool; `now` is how often it is called."""
    risk, risk_style = RISKS[tool.risk]
    risk += "*" * (tool.found is not None)  # set by the person
    pin, pin_style = PINS[tool.pin]
    rule, rule_style = safe(meets(tool)), RULE_STYLES.get(tool.action.value, "")
    hidden = [("  hidden", "warn")] if tool.hidden else []
    parts: list[Part] = [
        ("    ", ""),
        (column(tool.name, widths.name - 3) + " ", "dim" if tool.pin is Pin.GONE else ""),
        (f"{risk:9}", risk_style),
    ]
    if widths.hints:
        parts.append((_fill(safe(", ".join(tool.hints)) or "nothing", widths.hints), "dim"))
    parts += [
        (f"{tool.calls or '':>7}  ", ""),
        (f"{now:{widths.now}}" if widths.now else "", "accent"),
        (_fill(rule, widths.rule) if widths.rule else "", rule_style),
        (pin, pin_style),
        *hidden,
    ]
    return parts


def meets(tool: ToolRow) -> str:
    """What a call of it meets, in two words; a rule's id is raw."""
    return f"{tool.action.value} {tool.rules[0] if tool.rules else 'default'}"


def about(
    node: Node,
    known: Inspected | None,
    room: int,
    now_ms: float,
    zone: tzinfo | None,
    *,
    rate: str,
) -> list[Line]:
    """All of the selected one in words, nothing cut; `rate` is how often a tool is called now."""
    if node.tool:
        lines = _about_tool(node.tool, room, zone, rate)
    else:
        lines = _about_server(node, room, now_ms, zone)
    if known is not None and known.recommended and node.tool:
        lines += _said("recommended", safe(known.recommended.reason), room, "accent")
    if known is not None:
        text = known.definition.get("instructions" if node.tool is None else "description")
        if isinstance(text, str) and text:
            name = "it tells" if node.tool is None else "it says"
            lines += _said(name, safe(text), room)
    return lines


def _about_tool(tool: ToolRow, room: int, zone: tzinfo | None, now: str) -> list[Line]:
    state = {
        Pin.PINNED: "",
        Pin.NEW: "it came later than its server: nobody can call it until you accept it",
        Pin.CHANGED: "its definition changed: nobody can call it until you accept that",
        Pin.DOUBLED: "its server lists it with two meanings: nobody can call it",
        Pin.GONE: "its server does not list it any more",
    }[tool.pin]
    risk = f"{tool.risk.value}: {tool.why}" if tool.why else tool.risk.value
    lines = _said("state", state, room, "alarm")
    lines += _said("risk", safe(risk), room)
    for sentence in tool.also:
        lines += _said("also", safe(sentence), room)
    lines += _said("a call", safe(tool.applies), room)
    for flag in tool.flags:
        lines += _said("look twice", f"▲ {safe(flag)}", room, "warn")
    used = f"{tool.calls:,} calls" + (f", {now} now" if now else "")
    if tool.last_ms:
        used += f", last {stamp(tool.last_ms, zone)}"
    if tool.first_ms:
        used += f", known since {stamp(tool.first_ms, zone)}"
    return lines + _said("used", used, room)


def _about_server(node: Node, room: int, now_ms: float, zone: tzinfo | None) -> list[Line]:
    server = node.server
    state = "nobody has looked at it since it was first seen" if server.new else ""
    if server.instructions_changed:
        state = "what it tells the model changed: none of its tools can be called until you accept"
    how = f"{server.transport}, version {server.version}" if server.version else server.transport
    lines = _said("state", state, room, "alarm") + _said("how", safe(how), room)
    for name, text, style in story(server, now_ms, zone):
        lines += _said(name, safe(text), room, style)
    if not server.whole:
        unread = (
            "its list was not read to its end: it may have more"
            if server.tools
            else ("none has been listed yet")
        )
        lines += _said("tools", unread, room, "warn")
    for flag in server.flags:
        lines += _said("look twice", f"▲ {safe(flag)}", room, "warn")
    if server.first_ms:
        lines += _said("known", f"since {stamp(server.first_ms, zone)}", room)
    for at, line in enumerate(server.said):
        lines += _said("" if at else "on stderr", safe(line), room, "dim")
    return lines


def _said(name: str, text: str, room: int, style: str = "") -> list[Line]:
    return [
        [(f"  {name if at == 0 else '':11} ", "accent"), (part, style)]
        for at, part in enumerate(prose(text, room - 15) if text else ())
    ]


def _fill(text: str, room: int) -> str:
    """A column with a blank behind it."""
    return filled(clip(text, room - 1), room)
