"""Consent to what a server changed: the difference, and the armed keys of a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from mcpwall.engine import port_tools
from mcpwall.model import TWO_KEYS
from mcpwall.text import width
from mcpwall.tui.guard import Decision, Intent, Sight
from mcpwall.tui.mirror import Part as Changed
from mcpwall.tui.review.layout import Row, prose, safe, wrap
from mcpwall.tui.review.panels import rule
from mcpwall.tui.review.pieces import field_rows
from mcpwall.tui.screens.decide import DecideScreen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from mcpwall.engine import port
    from mcpwall.model import JsonObject
    from mcpwall.tui.keys import Action
    from mcpwall.tui.mirror import Changes
    from mcpwall.tui.servers.table import Node
    from mcpwall.tui.widgets.lines import Line


class AcceptScreen(DecideScreen):
    """Asks whether what is listed now is to be trusted.

    `known` are the tools that an answer is about, and a server's instructions; all of them when
    `node` is the server itself, whose tools are accepted with it.
    """

    intents: ClassVar = {"decide.allow": Intent.ALLOW, "decide.confirm": Intent.SECOND}

    def __init__(self, node: Node, known: Sequence[port_tools.Inspected]) -> None:
        super().__init__()
        self._node = node
        self._known = known
        self._hash = known[0].hash if node.tool else node.server.hash

    def sight_now(self) -> Sight | None:
        """Exactly this definition."""
        if self.over:
            return None
        tool = self._node.tool
        digest = "/".join((self._node.server.name, tool.name if tool else "", self._hash))
        return Sight(0, digest, 0, tool is not None and tool.risk in TWO_KEYS)

    def title_lines(self, room: int) -> list[Line]:
        """Which tool, and what an answer means."""
        server, tool = self._node
        name = f"{server.name}.{tool.name}" if tool else server.name
        changed = any(one.differences for one in self._known)
        asked, word = f"ACCEPT WHAT {safe(name)} SAYS NOW", "CHANGED" if changed else "NEW"
        lines: list[Line] = [rule(asked, word, room, "title", "warn")]
        if width(asked) + width(word) + 11 > room:  # cut, so whole below
            lines += [[(f" {part}", "strong")] for part in wrap(safe(name), room - 2)]
        said = "From now on calls of it are judged by the rules again, as long as it stays so."
        if tool is None:
            said = "All that this server says now, its tools and its instructions, is accepted."
            if not any(_waits(one) for one in self._known):
                said = (
                    "Its tools can be called already, by the rules. This only says that you looked "
                    "at them: what the server changes from now on waits for you either way."
                )
        lines += [[(f" {part}", "")] for part in prose(said, room - 2)]
        if tool is not None and tool.why:
            risk = safe(f"risk {tool.risk}: {tool.why}")
            lines += [[(f" {part}", "")] for part in prose(risk, room - 2)]
        for flag in tool.flags if tool else server.flags:
            first, *more = prose(safe(flag), room - 4)
            lines += [[(f" ▲ {first}", "warn")], *([(f"   {part}", "warn")] for part in more)]
        return [*lines, rule("", "", room)]

    def rows(self, cells: int) -> Sequence[Row]:
        """Each place that differs, before and after; all of what was not there before."""
        rows: list[Row] = []
        for one in self._known:
            if self._node.tool is None:
                name = one.row.name if one.row else "what it tells the model"
                rows += [Row(part, "", mark="=") for part in wrap(safe(name), cells - 2)]
            rows += _differences(one, cells) if _waits(one) else _first_look(one, cells)
        return rows or [Row("", "no tools, and nothing that it tells the model")]

    def answers(self) -> tuple[str, str]:
        """There is nothing to deny: it is denied already."""
        return "accept it", ""

    def why_off(self, action: Action) -> str:
        """There is no key for no."""
        if action.name == "deny":
            return "it cannot be called as it is; leave it so, or block it"
        return super().why_off(action)

    def changed(self, changes: Changes) -> None:
        """It changed once more while it was read: nothing of this can be accepted."""
        if Changed.SERVERS not in changes.parts or self.over:
            return
        server = self.mirror.servers.get(self._node.server.name)
        if server is None or self._now(server) != self._hash:
            self.over = "it changed: leave, and look again"
            self.guard.show(None)
            self.draw()

    def _now(self, server: port_tools.ServerRow) -> str:
        tool = self._node.tool
        if tool is None:
            return server.hash
        return next((other.hash for other in server.tools if other.name == tool.name), "")

    def decided(self, decision: Decision) -> None:
        """Pin it."""
        del decision
        self._accept()

    @work(group="decide")
    async def _accept(self) -> None:
        server, tool = self._node
        command: port.Command = port_tools.AcceptServer(server.name, self._hash)
        if tool:
            command = port_tools.AcceptTool(server.name, tool.name, self._hash)
        self.dismiss(await self.wall.tell(command))


def _waits(one: port_tools.Inspected) -> bool:
    return one.pinned is None or bool(one.differences)


def _first_look(one: port_tools.Inspected, cells: int) -> list[Row]:
    """What a tool is good for, where nobody has to accept it; its schema is left to its line."""
    if one.row is None:
        return field_rows(one.definition, cells)
    risk = f"risk {one.row.risk}: {one.row.why}" if one.row.why else f"risk {one.row.risk}"
    rows = [Row("", part) for part in prose(safe(risk), cells)]
    for flag in one.row.flags:
        rows += [Row("", f"▲ {part}") for part in prose(safe(flag), cells - 2)]
    told: JsonObject = {
        key: one.definition[key] for key in ("title", "description") if key in one.definition
    }
    return rows + (field_rows(told, cells) if told else [])


def _differences(one: port_tools.Inspected, cells: int) -> list[Row]:
    if not one.definition:
        return [Row("", part) for part in prose("It is too large to be shown.", cells)]
    if one.pinned is None or not one.differences:
        return field_rows(one.definition, cells)
    rows: list[Row] = []
    for change in one.differences:
        rows += [Row(part, "") for part in wrap(safe(change.path or "all of it"), cells)]
        for mark, text in (("-", change.before), ("+", change.after)):
            if text is not None:
                rows += [Row("", part, mark=mark) for part in wrap(safe(text), cells - 2)]
    return rows
