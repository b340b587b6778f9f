"""Agents' config files: the exact change that would guard their servers, and the key that makes it.

Nothing is written but what is on screen here, and only after a confirm.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from textual import work

from mcpwall.text import column, fit, visible
from mcpwall.tui.guarding import AgentFile, AgentServer, GuardingError, Offer, Stand
from mcpwall.tui.review.layout import prose, wrap
from mcpwall.tui.review.panels import rule
from mcpwall.tui.screens.listing import ListModal
from mcpwall.tui.widgets.empty import file_line
from mcpwall.tui.widgets.frame import Footer
from mcpwall.tui.widgets.panel import Panel
from mcpwall.tui.widgets.pick_list import PickList, Selected
from mcpwall.tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from mcpwall.tui.keys import Action
    from mcpwall.tui.widgets.lines import Line

_MARKS = {"+": "ok", "-": "bad"}
_ROWS_MAX = 12  # of the list, shown at once
_NAME_MAX = 24  # cells
_FOLD = "    "  # before the rest of a line that is too long for the screen
_SIGNS = {Stand.GUARDED: ("●", "ok"), Stand.OPEN: ("○", "waiting"), Stand.LEFT: ("▲", "warn")}


class Choice(NamedTuple):
    """What can be guarded together: one server of a file, or without one all of them."""

    file: AgentFile
    server: AgentServer | None

    @property
    def key(self) -> tuple[str, ...]:
        """What it is known by when the files were read again."""
        return (self.file.path, *(self.server.at if self.server else ()))

    @property
    def is_open(self) -> bool:
        """Whether there is something to guard."""
        return any(
            server.stand is Stand.OPEN
            for server in ((self.server,) if self.server else self.file.servers)
        )


class AgentList(PickList[Choice]):
    """The files, and below each its servers, one a line."""

    def key_of(self, item: Choice) -> tuple[str, ...]:
        """A file is known by its path, a server by its place in it."""
        return item.key

    def heading(self) -> Line:
        """What is listed."""
        return [(" AGENT", "dim"), (" " * 10 + "FILE", "dim")]

    def item_line(self, item: Choice) -> Line:
        """Whose file it is and how its servers stand, or how one stands."""
        if item.server is not None:
            sign, style = _SIGNS[item.server.stand]
            name = column(item.server.name, _NAME_MAX)
            why = fit(item.server.why, self.size.width - _NAME_MAX - 7)
            return [("   ", ""), (f"{sign} ", style), (f"{name} ", ""), (why, "dim")]
        (agent, style), *rest = file_line(item.file, self.size.width - 1)
        return [(f" {agent}", style), *rest]


class AgentsScreen(ListModal):
    """The files and their servers above, what would change for the selected one below."""

    scope = "agents"
    DEFAULT_CSS = """
    AgentsScreen { background: $background; }
    AgentsScreen AgentList { height: 4; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._offers: dict[tuple[str, ...], Offer | str] = {}  # a text says why there is none
        self._written: dict[tuple[str, ...], Sequence[str]] = {}  # what was said at the writing
        self._asking = False

    def compose(self) -> ComposeResult:
        """Title, files, the change, keys."""
        self.head = Panel(id="head")
        self.list = AgentList()
        self.middle = Panel(id="middle")
        self.change = TextLines(says_more=True)
        yield self.head
        yield self.list
        yield self.middle
        yield self.change
        yield Footer()

    def on_mount(self) -> None:
        """Look at the files."""
        self.look()

    def on_resize(self) -> None:
        """Another width."""
        self.call_after_refresh(self.draw)

    def on_selected(self, event: Selected) -> None:
        """Another choice: find out what would change."""
        event.stop()
        self.draw()
        if not self._asking:
            self._asking = True
            self.ask()

    # --- files, in threads -----------------------------------------------------------------------

    @work
    async def look(self) -> None:
        """Read the files, and begin with the first that has something to guard."""
        files = await asyncio.to_thread(self.wall.agents.files)
        begun = self.list.selected is not None
        self._offers = {}
        choices = [Choice(f, server) for f in files for server in (None, *f.servers)]
        self.list.styles.height = 1 + max(1, min(_ROWS_MAX, len(choices), self.size.height // 3))
        self.list.show(choices)
        if not begun:
            self.list.select(next((choice.key for choice in choices if choice.is_open), None))

    @work
    async def ask(self) -> None:
        """One question at a time, until the change of what is selected is known."""
        try:
            while (choice := self.list.selected) and self._is_unknown(choice):
                try:
                    offer: Offer | str = await asyncio.to_thread(self.wall.agents.offer, *choice)
                except GuardingError as error:
                    offer = str(error)
                self._offers[choice.key] = offer
                self.draw()
        finally:
            self._asking = False

    @work
    async def write(self, choice: Choice, offer: Offer) -> None:
        """Make the change that was shown, after a confirm."""
        servers = choice.file.count(Stand.OPEN)
        what = f"{servers} server" + "s" * (servers != 1)
        if choice.server is not None:
            what = fit(choice.server.name, _NAME_MAX)
        if not await self.wall.confirm(
            f"Guard {what} of {fit(choice.file.agent, _NAME_MAX)}?",
            "The file is changed as shown. A copy of it is kept beside it,",
            "and `mcpwall uninstall` takes the change back.",
        ):
            return
        self._written[choice.key] = ("writing …",)
        self.draw()
        try:
            self._written[choice.key] = await asyncio.to_thread(offer.write)
        except GuardingError as error:
            del self._written[choice.key]
            self.wall.say(str(error), "error")
        self.change.to_start()
        self.look()

    def _is_unknown(self, choice: Choice) -> bool:
        return choice.is_open and choice.key not in self._offers

    # --- drawing ---------------------------------------------------------------------------------

    def draw(self) -> None:
        """All but the list, which draws itself."""
        if not (footer := self.query(Footer)):  # it closes
            return
        room = self.size.width
        footer.refresh()  # what can be done with this choice
        self.head.show([rule("GUARD AN AGENT'S SERVERS", "", room, "title")])
        if (choice := self.list.selected) is None:
            nothing = "no agent's configuration was found here; docs/agents.md has where they are"
            self.middle.show([])
            self.change.show([[(f" {row}", "dim")] for row in prose(nothing, room - 2)])
            return
        name = "all that can be guarded" if choice.server is None else choice.server.name
        path = fit(choice.file.path, room // 2)
        self.middle.show([rule(path, fit(name, room // 3), room, "accent", "dim")])
        self.change.show(self._lines(choice, room - 2))

    def _lines(self, choice: Choice, room: int) -> list[Line]:
        file, server = choice
        said = _paragraph(self._written.get(choice.key, ()), "strong", room)
        about = _paragraph((file.problem, server.why if server else "", file.note), "", room)
        offer = self._offers.get(choice.key)
        if isinstance(offer, Offer):
            change = _diff(offer, room)
        elif offer is not None:
            change = _paragraph([offer], "alarm", room)
        else:
            change = _paragraph(["looking …"] if choice.is_open else (), "dim", room)
        return [*said, *about, *change]

    # --- actions ---------------------------------------------------------------------------------

    def why_off(self, action: Action) -> str:
        """There must be a change to write."""
        if action.name == "write" and not self._offer():
            return "nothing of this can be guarded now"
        if action.name == "paste" and not self._command():
            return "there is no command of this to copy"
        return super().why_off(action)

    def _offer(self) -> Offer | None:
        choice = self.list.selected
        offer = self._offers.get(choice.key) if choice else None
        return offer if isinstance(offer, Offer) else None

    def _command(self) -> str:
        if (choice := self.list.selected) is None:
            return ""
        return choice.server.command if choice.server else choice.file.command

    def do_write(self) -> None:
        """Ask, and write."""
        if (choice := self.list.selected) and (offer := self._offer()):
            self.write(choice, offer)

    def do_paste(self) -> None:
        """The command, behind the wall."""
        self.wall.copy(visible(self._command()), "command")


def _paragraph(texts: Sequence[str], style: str, room: int) -> list[Line]:
    """Foreign sentences in rows of `room` cells, and an empty line below."""
    rows = [row for text in texts if text for row in prose(visible(text), room)]
    return [*([(f" {row}", style)] for row in rows), []] if rows else []


def _diff(offer: Offer, room: int) -> list[Line]:
    lines: list[Line] = [[(" WHAT WOULD CHANGE", "title")]]
    for text in offer.diff:
        style = "dim" if text.startswith(("---", "+++")) else _MARKS.get(text[:1], "dim")
        first, *rest = wrap(visible(text), room - len(_FOLD))
        lines += [[(f" {first}", style)], *([(f" {_FOLD}{row}", style)] for row in rest)]
    return lines
