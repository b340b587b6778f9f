"""Agents' config files: the exact change that would guard their servers, and the key that makes it.

Nothing is written but what is on screen here, and only after a confirm.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work

from mcpwall.text import fit, visible
from mcpwall.tui.guarding import AgentFile, GuardingError, Offer
from mcpwall.tui.review.layout import prose, wrap
from mcpwall.tui.review.panels import rule
from mcpwall.tui.screens.base import WallModal
from mcpwall.tui.widgets.empty import file_line, standing
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
_FILES_MAX = 8  # shown at once
_NAME_MAX = 24  # cells
_FOLD = "    "  # before the rest of a line that is too long for the screen


class AgentList(PickList[AgentFile]):
    """The files, one a line."""

    def key_of(self, item: AgentFile) -> str:
        """A file is known by its path."""
        return item.path

    def heading(self) -> Line:
        """What is listed."""
        return [(" AGENT", "dim"), (" " * 10 + "FILE", "dim")]

    def item_line(self, item: AgentFile) -> Line:
        """Whose it is, where, and how its servers stand."""
        (agent, style), *rest = file_line(item, self.size.width - 1)
        return [(f" {agent}", style), *rest]


class AgentsScreen(WallModal):
    """The files above, what would change in the selected one below."""

    scope = "agents"
    DEFAULT_CSS = """
    AgentsScreen { background: $background; }
    AgentsScreen AgentList { height: 4; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._offers: dict[str, Offer | str] = {}  # by path; a text says why there is none
        self._written: dict[str, Sequence[str]] = {}  # by path: what was said when it was written
        self._asking = False

    def compose(self) -> ComposeResult:
        """Title, files, the change, keys."""
        self.head = Panel(id="head")
        self.files = AgentList()
        self.middle = Panel(id="middle")
        self.change = TextLines(says_more=True)
        yield self.head
        yield self.files
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
        """Another file: find out what would change in it."""
        event.stop()
        self.draw()
        if not self._asking:
            self._asking = True
            self.ask()

    # --- files, in threads -----------------------------------------------------------------------

    @work
    async def look(self) -> None:
        """Read the files, and begin with the first that has something to guard."""
        found = await asyncio.to_thread(self.wall.agents.files)
        begun = self.files.selected is not None
        self._offers = {}
        self.files.styles.height = 1 + max(1, min(_FILES_MAX, len(found), self.size.height // 3))
        self.files.show(found)
        if not begun:
            self.files.select(next((file.path for file in found if file.unguarded), None))

    @work
    async def ask(self) -> None:
        """One question at a time, until the change of the selected file is known."""
        try:
            while (file := self.files.selected) and self._is_open(file):
                try:
                    offer: Offer | str = await asyncio.to_thread(self.wall.agents.offer, file)
                except GuardingError as error:
                    offer = str(error)
                self._offers[file.path] = offer
                self.draw()
        finally:
            self._asking = False

    @work
    async def write(self, file: AgentFile, offer: Offer) -> None:
        """Make the change that was shown, after a confirm."""
        servers = f"{file.unguarded} server" + "s" * (file.unguarded != 1)
        if not await self.wall.confirm(
            f"Let {servers} of {fit(file.agent, _NAME_MAX)} go through the wall?",
            "The file is changed as shown. A copy of it as it is now is kept",
            "beside it, and `mcpwall uninstall` takes the change back.",
        ):
            return
        self._written[file.path] = ("writing …",)
        self.draw()
        try:
            self._written[file.path] = await asyncio.to_thread(offer.write)
        except GuardingError as error:
            del self._written[file.path]
            self.wall.say(str(error), "error")
        self.change.to_start()
        self.look()

    def _is_open(self, file: AgentFile) -> bool:
        return bool(file.unguarded) and file.path not in self._offers

    # --- drawing ---------------------------------------------------------------------------------

    def draw(self) -> None:
        """All but the list, which draws itself."""
        room = self.size.width
        self.query_one(Footer).refresh()  # what can be done with this file
        self.head.show([rule("GUARD AN AGENT'S SERVERS", "", room, "title")])
        if (file := self.files.selected) is None:
            nothing = "no agent's configuration was found here; docs/agents.md has where they are"
            self.middle.show([])
            self.change.show([[(f" {row}", "dim")] for row in prose(nothing, room - 2)])
            return
        state = "".join(text for text, _ in standing(file))
        self.middle.show([rule(fit(file.path, room // 2), state, room, "accent", "dim")])
        self.change.show(self._lines(file, room - 2))

    def _lines(self, file: AgentFile, room: int) -> list[Line]:
        said = _paragraph(self._written.get(file.path, ()), "strong", room)
        about = _paragraph((*file.details, file.problem), "", room)
        offer = self._offers.get(file.path)
        if isinstance(offer, Offer):
            change = _diff(offer, room)
        elif offer is not None:
            change = _paragraph([offer], "alarm", room)
        else:
            change = _paragraph(["looking …"] if self._is_open(file) else (), "dim", room)
        return [*said, *about, *change]

    # --- actions ---------------------------------------------------------------------------------

    def why_off(self, action: Action) -> str:
        """There must be a change to write."""
        file = self.files.selected
        if action.name == "write" and not (file and isinstance(self._offers.get(file.path), Offer)):
            return "nothing of this file can be guarded now"
        if action.name == "paste" and not (file and file.command):
            return "there is no command of this file to copy"
        return super().why_off(action)

    def do_write(self) -> None:
        """Ask, and write."""
        file = self.files.selected
        if file and isinstance(offer := self._offers.get(file.path), Offer):
            self.write(file, offer)

    def do_paste(self) -> None:
        """A command of this file, behind the wall."""
        if file := self.files.selected:
            self.wall.copy(visible(file.command), "command")

    def do_up(self) -> None:
        """One file up."""
        self._move(-1)

    def do_down(self) -> None:
        """One file down."""
        self._move(1)

    def do_page_up(self) -> None:
        """One page up in the change."""
        self.change.scroll(2 - self.change.size.height)

    def do_page_down(self) -> None:
        """One page down in the change."""
        self.change.scroll(self.change.size.height - 2)

    def _move(self, by: int) -> None:
        self.change.to_start()
        self.files.move(by)


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
