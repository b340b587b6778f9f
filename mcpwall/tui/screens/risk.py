"""The class of risk of one tool: what each would change, and the key that sets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.containers import Vertical

from mcpwall.engine.port_tools import Classified, Classify
from mcpwall.tui.mirror import Part as Changed
from mcpwall.tui.review.layout import safe
from mcpwall.tui.review.panels import rule
from mcpwall.tui.screens.listing import ListModal
from mcpwall.tui.servers.classes import CLASSES, Option, effect, heading, option_line
from mcpwall.tui.widgets.frame import Footer
from mcpwall.tui.widgets.panel import Panel
from mcpwall.tui.widgets.pick_list import PickList, Selected
from mcpwall.tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.engine.port_tools import ToolRow
    from mcpwall.model import Risk
    from mcpwall.tui.keys import Action
    from mcpwall.tui.mirror import Changes
    from mcpwall.tui.widgets.lines import Line


class ClassList(PickList[Option]):
    """The classes, one a line."""

    def key_of(self, item: Option) -> Risk | None:
        """A class is known by itself."""
        return item.risk

    def heading(self) -> Line:
        """The names of the columns."""
        return heading(self.size.width)

    def item_line(self, item: Option) -> Line:
        """A class, and what a call would meet."""
        return option_line(item, self.size.width)


class RiskScreen(ListModal):
    """The classes above, what the selected one would change below; nothing is set but by a key."""

    scope = "risk"
    DEFAULT_CSS = """
    RiskScreen { background: $background 40%; }
    RiskScreen > Vertical { margin: 2 0 0 0; background: $background; }
    """

    def __init__(self, server: str, tool: ToolRow) -> None:
        super().__init__()
        self._server, self._tool = server, tool
        self._told: dict[Risk | None, Classified | str] = {}

    def compose(self) -> ComposeResult:
        """Title, classes, what changes, keys."""
        self.head = Panel(id="head")
        self.options = ClassList()
        self.middle = Panel(id="middle")
        self.change = TextLines(says_more=True)
        with Vertical():
            yield self.head
            yield self.options
            yield self.middle
            yield self.change
        yield Footer()

    def on_mount(self) -> None:
        """Begin with the class that is set."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._show()
        self.options.select(_set_now(self._tool))
        self._ask()

    def on_resize(self) -> None:
        """The classes take up to a third of the height."""
        self.options.styles.height = min(len(CLASSES) + 1, self.size.height // 3)
        self.call_after_refresh(self._draw)

    def on_selected(self, event: Selected) -> None:
        """Another class."""
        event.stop()
        self._draw()

    @work(group="classes", exclusive=True)
    async def _ask(self) -> None:
        """What each class would change; nothing is set by asking."""
        for risk in CLASSES:
            reply = await self.wall.send(Classify(self._server, self._tool.name, risk))
            self._told[risk] = (
                reply if isinstance(reply, Classified) else getattr(reply, "text", "no answer")
            )
            self._show()

    def _show(self) -> None:
        self.options.show(
            [Option(r, self._told.get(r), r is _set_now(self._tool)) for r in CLASSES]
        )

    def changed(self, changes: Changes) -> None:
        """The tool is another one now, or other rules meet it: ask anew."""
        server = self.mirror.servers.get(self._server)
        tools = server.tools if server else ()
        now = next((tool for tool in tools if tool.name == self._tool.name), self._tool)
        if changes.parts & Changed.SERVERS and now != self._tool:
            self._tool = now
            self._ask()

    def _draw(self) -> None:
        room = self.size.width
        name = safe(f"{self._server}.{self._tool.name}")
        self.head.show([rule(f"THE RISK OF {name}", "", room, "title")])
        self.middle.show([rule("WHAT IT CHANGES", "", room, "accent")])
        if option := self.options.selected:
            self.change.show(effect(option, room))

    # --- actions ---------------------------------------------------------------------------------

    def why_off(self, action: Action) -> str:
        """There must be something to set."""
        option = self.options.selected
        if action.name == "set" and option is not None:
            if option.set_now:
                return "it is set so already"
            if not isinstance(option.told, Classified):
                return option.told or "it is not known yet what this changes"
        return super().why_off(action)

    def do_set(self) -> None:
        """Write the class that is shown to config.toml."""
        if option := self.options.selected:
            self._set(option.risk)

    @work(group="change")
    async def _set(self, risk: Risk | None) -> None:
        reply = await self.wall.send(Classify(self._server, self._tool.name, risk, apply=True))
        if not isinstance(reply, Classified):
            self.wall.say(getattr(reply, "text", "no answer"), "error")
            return
        undo = self.wall.keys.key("servers.undo")
        whose = "set by you" if risk else "as the wall finds"
        name = safe(f"{self._server}.{self._tool.name}")
        self.wall.say(f"{name} is {reply.after.risk} now, {whose}; {undo} undoes it")
        self.dismiss(None)


def _set_now(tool: ToolRow) -> Risk | None:
    """The class that the person has set, None for none."""
    return None if tool.found is None else tool.risk
