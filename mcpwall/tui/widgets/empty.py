"""What is shown before the first call: whose servers could be guarded, and what to do next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from textual import work

from mcpwall.text import column, fit, visible
from mcpwall.tui.guarding import Stand
from mcpwall.tui.review.layout import prose
from mcpwall.tui.widgets.lines import Line, LineWidget, Part, spread
from mcpwall.tui.words import GONE, SILENT, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpwall.tui.app import WallApp
    from mcpwall.tui.guarding import AgentFile

EXAMPLE = "mcpwall stdio git -- uvx mcp-server-git"
_AGAIN: dict[Standing, Line] = {
    GONE: (("The app attaches again by itself as soon as there is one.", "dim"),),
    SILENT: (("The app goes on by itself as soon as it answers.", "dim"),),
}
_RESTART = "start guarded agents again: most read their config once"
_INDENT = 4
_AGENT_CELLS, _STANDING_CELLS = 15, 29
_PATH_MIN, _PATH_MAX = 8, 60  # cells
_FEWEST = 2  # files that are named, however low the terminal is


def standing(file: AgentFile) -> list[Part]:
    """How a file's servers stand: number, sign and word."""
    if file.problem:
        return [("▲ left alone, see there", "warn")]
    servers = len(file.servers)
    guarded, unguarded, left = map(file.count, (Stand.GUARDED, Stand.OPEN, Stand.LEFT))
    count = f"{servers} server" + ("s" if servers != 1 else " ")  # the signs stay in line
    if not servers:
        return [(count, "dim")]
    if unguarded:
        some = f"{unguarded} " if guarded else ""
        return [(f"{count}  ", ""), (f"○ {some}not guarded", "waiting")]
    if guarded and left:
        return [(f"{count}  ", ""), (f"● {guarded}", "ok"), (f" ▲ {left} left alone", "warn")]
    return [(f"{count}  ", ""), ("● guarded", "ok") if guarded else ("▲ left alone", "warn")]


def file_line(file: AgentFile, room: int) -> list[Part]:
    """A file in one line of `room` cells: whose it is, where, and how its servers stand."""
    path = min(_PATH_MAX, max(_PATH_MIN, room - _AGENT_CELLS - _STANDING_CELLS))
    return [
        (column(file.agent, _AGENT_CELLS - 1) + " ", ""),
        (column(file.path, path - 2) + "  ", "accent"),
        *standing(file),
    ]


class EmptyState(LineWidget):
    """Words in place of the table. `files` are the agents' configs, None until they were read."""

    DEFAULT_CSS = "EmptyState { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.files: Sequence[AgentFile] | None = None
        self._looking = False

    @property
    def command(self) -> str:
        """A command that starts a server behind the wall; an example where none is known."""
        return next((file.command for file in self.files or () if file.command), EXAMPLE)

    def on_show(self) -> None:
        """On screen: look at the agents' files."""
        self.look()

    def look(self) -> None:
        """Read the agents' files again, unless that is being done."""
        if self.display and not self._looking:
            self._looking = True
            self._read()

    @work
    async def _read(self) -> None:
        self.files = await asyncio.to_thread(cast("WallApp", self.app).agents.files)
        self._looking = False
        self.refresh()

    def line(self, y: int) -> Line:
        """A line of advice, below some air."""
        wall = cast("WallApp", self.app)
        room = self.size.width - 2 * _INDENT
        if away := wall.engine_away:
            rows = prose(visible(wall.engine_gone), room)
            said: list[Line] = [[(f"{away.word.capitalize()}.", away.style)], []]
            said += [*([(row, "")] for row in rows), [], _AGAIN[away]]
        else:
            said = self._said(wall, room)
        at = y - max(0, (self.size.height - len(said)) // 3)
        if not 0 <= at < len(said):
            return []
        return [(" " * _INDENT, ""), *spread(said[at], [], self.size.width - _INDENT)]

    def _said(self, wall: WallApp, room: int) -> list[Line]:
        """What was found and what can be done; what there is no room for comes last."""
        todo = self._todo(wall, room)
        first: list[Line] = [[("Nothing has called a tool yet.", "strong")], []]
        found = self._found(room, self.size.height - len(first) - len(todo) - 1)
        said = [*first, *found, [], *todo]
        after = "Calls appear here as they happen. Those that change something wait for you, "
        rows = prose(after + "unless a rule says otherwise.", min(room, 76))
        last: list[Line] = [[], *([(row, "")] for row in rows)]
        if wall.mirror.status:
            last += [[("Rules: ", "dim"), (fit(wall.mirror.status.config, room - 7), "dim")]]
        return said + last if len(said) + len(last) <= self.size.height else said

    def _found(self, room: int, most: int) -> list[Line]:
        """The agents' files, at most `most` lines."""
        if self.files is None:
            return [[("Looking for the configurations of your agents …", "dim")]]
        if not self.files:
            return [[("No agent's configuration was found for you and this directory.", "")]]
        count = len(self.files)
        title = f"Found {count} agent configuration{'s' * (count != 1)} here:"
        named = max(_FEWEST, most - 1)
        if count > named:
            named = max(_FEWEST, named - 1)
        lines: list[Line] = [[(title, "")]]
        lines += [[("  ", ""), *file_line(file, room - 2)] for file in self.files[:named]]
        if count > named:
            lines.append([(f"  and {count - named} more", "dim")])
        return lines

    def _stands(self, stand: Stand) -> bool:
        """Whether some server stands so."""
        return any(file.count(stand) for file in self.files or ())

    def _todo(self, wall: WallApp, room: int) -> list[Line]:
        """What to do about agents that are guarded already, and the three keys."""
        guard, paste, demo = (
            wall.keys.key(name) for name in ("app.guard", "calls.paste", "calls.demo")
        )
        offer = (
            f"guard {'one of them' if self.files else 'an agent'} (shows the change, keeps a copy)"
        )
        if self.files and not self._stands(Stand.OPEN):
            offer = "see how each server stands"
        again: list[Line] = [[("●  ", "ok"), (_RESTART, "")]]
        return [
            *(again if self._stands(Stand.GUARDED) else []),
            [(f"{guard}  ", "accent"), (offer, "")],
            [(f"{paste}  ", "accent"), ("copy a command to paste yourself:", "")],
            [("     ", ""), (fit(self.command, room - 5), "accent")],
            [
                (f"{demo}  ", "accent"),
                ("try it: pretend agents, whose calls you answer", ""),
            ],
        ]
