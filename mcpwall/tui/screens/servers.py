"""Servers and tools: what each can do, which rule meets its calls, and what changed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work

from mcpwall.engine import port, port_rules, port_servers, port_tools
from mcpwall.model import Action as Verdict
from mcpwall.tui.globs import literal
from mcpwall.tui.mirror import Part as Changed
from mcpwall.tui.review.layout import safe
from mcpwall.tui.review.panels import rule
from mcpwall.tui.rules.effect import diff_lines
from mcpwall.tui.screens.accept import AcceptScreen
from mcpwall.tui.screens.confirm import ConfirmScreen
from mcpwall.tui.screens.listing import ListScreen
from mcpwall.tui.screens.risk import RiskScreen
from mcpwall.tui.servers.forgetting import lost, why_not
from mcpwall.tui.servers.table import Node, about, columns, heading, nodes, server_line, tool_line
from mcpwall.tui.widgets.panel import Panel
from mcpwall.tui.widgets.pick_list import PickList, Selected
from mcpwall.tui.widgets.rule_form import RuleForm
from mcpwall.tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.tui.keys import Action
    from mcpwall.tui.mirror import Changes
    from mcpwall.tui.widgets.lines import Line

_ON_TOOL = ("block", "hide", "risk", "rule")
_DIFF_MAX = 12  # lines of a change of config.toml that a question shows


class ServerTree(PickList[Node]):
    """The servers with their tools, known by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.folded: set[str] = set()

    def key_of(self, item: Node) -> tuple[str, str]:
        """Server and tool."""
        return item.key

    def heading(self) -> Line:
        """The names of the columns."""
        return heading(columns(self.size.width))

    def item_line(self, item: Node) -> Line:
        """A server or a tool."""
        widths = columns(self.size.width)
        if item.tool:
            return tool_line(item.tool, widths, self.rate(item))
        folded, now_ms = item.server.name in self.folded, self.wall.now() * 1000
        return server_line(item.server, widths, now_ms, self.wall.zone, folded=folded)

    def rate(self, item: Node) -> str:
        """How often a tool is called now."""
        rates, now_ms = self.wall.mirror.rates, self.wall.now() * 1000
        return rates.said(item.server.name, item.tool.name, now_ms) if item.tool else ""


class ServersScreen(ListScreen):
    """The tree, and all about the selected server or tool."""

    scope = "servers"
    DEFAULT_CSS = """
    ServersScreen TextLines { height: 11; }
    ServersScreen.-low TextLines { height: 8; }
    ServersScreen.-tiny TextLines { height: 4; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[str, str], port_tools.Inspected] = {}

    def body(self) -> ComposeResult:
        """The tree, then what is selected."""
        yield ServerTree()
        yield Panel(id="about")
        yield TextLines(says_more=True)

    def on_screen_resume(self) -> None:
        """Shown again."""
        super().on_screen_resume()
        self._show()

    def changed(self, changes: Changes) -> None:
        """A server came, went, or listed other tools."""
        if changes.parts & Changed.SERVERS:
            self._show()

    def tick(self) -> None:
        """How often tools are called moves by itself."""
        self.query_one(ServerTree).refresh()
        if node := self.node:
            self._say(node)

    @property
    def node(self) -> Node | None:
        """What is selected."""
        return self.query_one(ServerTree).selected

    def why_off(self, action: Action) -> str:
        """What cannot be done with the selected one, and why."""
        if action.scope == self.scope:
            node = self.node
            if node is None:
                return "no server was seen yet"
            if action.name in _ON_TOOL and node.tool is None:
                return "choose a tool"
            if action.name == "accept" and not node.waits:
                return "it is as it was accepted"
            if action.name == "forget":
                return why_not(node)
        return super().why_off(action)

    # --- drawing --------------------------------------------------------------------------------

    def _show(self) -> None:
        if self.query("#about"):
            tree = self.query_one(ServerTree)
            tree.show(nodes(self.mirror.servers.values(), tree.folded))

    @on(Selected)
    def _draw(self) -> None:
        node, room = self.node, self.size.width
        if node is None:
            nothing = "  no server was seen yet: it is when an agent starts one through the wall"
            self.query_one(TextLines).show([[(nothing, "dim")]])
            return
        name = f"{node.server.name}.{node.tool.name}" if node.tool else node.server.name
        right = "waits for you" if node.waits else ""
        self.query_one("#about", Panel).show([rule(safe(name), right, room, "title", "warn")])
        self._say(node)
        self._look(node)

    def _say(self, node: Node) -> None:
        """All that is known of it."""
        known, rate = self._known.get(node.key), self.query_one(ServerTree).rate(node)
        now_ms = self.wall.now() * 1000
        lines = about(node, known, self.size.width, now_ms, self.wall.zone, rate=rate)
        self.query_one(TextLines).show(lines)

    @work(group="inspect", exclusive=True)
    async def _look(self, node: Node) -> None:
        """Ask for the texts of the selected one, unless they are known."""
        known = self._known.get(node.key)
        if known is not None and node.tool and _is_of(known, node.tool):
            return
        reply = await self.wall.send(port_tools.Inspect(*node.key))
        if isinstance(reply, port_tools.Inspected):
            self._known = {node.key: reply}  # one is looked at a time; texts can be long
            if self.node and self.node.key == node.key:
                self._say(self.node)

    def do_open(self) -> None:
        """Fold a server's tools away, or show them."""
        if node := self.node:
            tree = self.query_one(ServerTree)
            tree.folded ^= {node.server.name}
            tree.select((node.server.name, ""))
            self._show()

    # --- what goes to the engine ----------------------------------------------------------------

    def do_accept(self) -> None:
        """Look at what changed, and accept it there."""
        if node := self.node:
            self._accept(node)

    @work(group="accept")
    async def _accept(self, node: Node) -> None:
        """Ask for all that the answer would be about; a server's is about its tools too."""
        server, names = node.server.name, [node.key[1]]
        if node.tool is None:
            tools = (one for one in nodes([node.server], ()) if one.tool)
            names = ["", *(one.key[1] for one in tools if one.waits or node.server.new)]
        known = []
        for name in names:
            reply = await self.wall.send(port_tools.Inspect(server, name))
            if not name and isinstance(reply, port.Refused):
                continue  # it tells the model nothing
            if not isinstance(reply, port_tools.Inspected):
                self.wall.say(getattr(reply, "text", "no answer"), "error")
                return
            known.append(reply)
        if self.mirror.servers.get(server) != node.server:
            self.wall.say("it has changed since: look again", "warning")
            return
        self.app.push_screen(AcceptScreen(node, known))

    def do_block(self) -> None:
        """Deny every call of this tool, or no more."""
        if (node := self.node) and node.tool:
            on = node.tool.action is not Verdict.DENY
            self._change(node, port_tools.Block(node.server.name, node.tool.name, on))

    def do_hide(self) -> None:
        """Take this tool out of every agent's list, or put it back."""
        if (node := self.node) and node.tool:
            hide = port_tools.Hide(node.server.name, node.tool.name, not node.tool.hidden)
            self._change(node, hide)

    @work(group="change")
    async def _change(self, node: Node, command: port_tools.Block | port_tools.Hide) -> None:
        """What takes something away is done at once, what gives it back after a confirm."""
        name = safe(f"{node.server.name}.{node.tool.name if node.tool else ''}")
        blocked = isinstance(command, port_tools.Block)
        question = "Let it be called again?" if blocked else "Let agents see it again?"
        if command.on or await self.wall.confirm(question, name, "The rules decide, as before."):
            await self.wall.tell(command)

    def do_recommended(self) -> None:
        """The recommended rule, with what it changes; applied after a confirm."""
        if node := self.node:
            self._recommend(*node.key)

    def do_recommended_all(self) -> None:
        """The recommended rules for every tool of every server, in the same way."""
        self._recommend("", "")

    @work(group="change")
    async def _recommend(self, server: str, tool: str) -> None:
        reply = await self.wall.send(port_tools.Recommend(server, tool))
        if not isinstance(reply, port_tools.Recommended):
            self.wall.say(getattr(reply, "text", "no answer"), "error")
            return
        if not reply.rules:
            self.wall.say("no rule is recommended here")
            return
        because = [safe(one.reason) for one in reply.rules[:_DIFF_MAX]]
        changes = diff_lines(reply.diff, ConfirmScreen.ROOM)
        because += ["", *("".join(text for text, _ in line) for line in changes[:_DIFF_MAX])]
        if len(changes) > _DIFF_MAX:
            because.append(f"… and {len(changes) - _DIFF_MAX} more lines; undo takes it back")
        if await self.wall.confirm("Write what is recommended to config.toml?", *because):
            applied = await self.wall.send(port_tools.Recommend(server, tool, apply=True))
            done = isinstance(applied, port_tools.Recommended)
            said = "written; it is in force" if done else getattr(applied, "text", "no answer")
            self.wall.say(said, "info" if done else "error")

    def do_forget(self) -> None:
        """Let a server be one that was never seen, after a confirm that says what is lost."""
        if node := self.node:
            self._forget(node.server)

    @work(group="change")
    async def _forget(self, server: port_tools.ServerRow) -> None:
        if await self.wall.confirm("Forget this server?", safe(server.name), *lost(server)):
            await self.wall.tell(port_servers.ForgetServer(server.name, server.hash))

    def do_risk(self) -> None:
        """See what each class of risk would change for this tool, and set one."""
        if (node := self.node) and node.tool:
            self.app.push_screen(RiskScreen(node.server.name, node.tool))

    def do_undo(self) -> None:
        """Undo the last change of config.toml."""
        self._undo(port_rules.Undo())

    def do_redo(self) -> None:
        """Do it again."""
        self._undo(port_rules.Undo(redo=True))

    @work(group="change")
    async def _undo(self, command: port_rules.Undo) -> None:
        await self.wall.tell(command)

    def do_rule(self) -> None:
        """Write a rule about this tool."""
        if (node := self.node) and node.tool:
            server, tool = literal(node.server.name), literal(node.tool.name)
            self.app.push_screen(RuleForm({"server": server, "tool": tool, "action": "ask"}))


def _is_of(known: port_tools.Inspected, tool: port_tools.ToolRow) -> bool:
    """Whether texts that were asked for still say what the tool is, and what is recommended."""
    seen = known.row or tool
    same = (seen.risk, seen.why) == (tool.risk, tool.why)
    return known.hash == tool.hash and same
