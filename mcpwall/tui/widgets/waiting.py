"""The strip of calls that wait for the person: of fixed height, so that nothing ever jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mcpwall.text import column, fit, summary, width
from mcpwall.tui.review.group import groups
from mcpwall.tui.timing import countdown
from mcpwall.tui.widgets.lines import Line, LineWidget, Part, cells, spread
from mcpwall.tui.words import called, risk, short_agent

if TYPE_CHECKING:
    from mcpwall.engine.port_calls import Held
    from mcpwall.tui.app import WallApp

_AGENT, _CALLED, _NOTE, _NOTE_WIDE = 14, 24, 18, 28  # cells
_SLIM, _WIDE = 60, 110


class WaitingStrip(LineWidget):
    """A framed list where the screen is tall enough, else one line."""

    DEFAULT_CSS = "WaitingStrip { height: 1; }"

    @property
    def _wall(self) -> WallApp:
        return cast("WallApp", self.app)

    def line(self, y: int) -> Line:
        """A line of the frame, or a group of waiting calls."""
        waiting = self._wall.mirror.waiting
        alike = groups(waiting)
        if self.size.height == 1:
            return self._short(alike, len(waiting))
        if y == 0:
            return self._top(alike, len(waiting))
        if y == self.size.height - 1:
            return [("└" + "─" * (self.size.width - 2) + "┘", self._frame_style(alike))]
        shown = alike[y - 1] if y <= len(alike) else []
        inner = self.size.width - 4
        middle = spread(self._group(shown), self._marks(shown), inner) if shown else []
        style = self._frame_style(alike)
        return [("│ ", style), *spread(middle, [], inner), (" │", style)]

    def _frame_style(self, groups: list[list[Held]]) -> str:
        return "waiting" if groups else "dim"

    @property
    def _nothing(self) -> str:
        known = self._wall.mirror.status is not None
        return "nothing waits for you" if known else "what waits for you is not known yet"

    def _left(self, held: Held) -> str:
        return countdown(held.deadline_ms - self._wall.now() * 1000)

    def _top(self, groups: list[list[Held]], count: int) -> Line:
        style = self._frame_style(groups)
        if not groups:
            left, right = f" {self._nothing} ", ""
        else:
            key, lines = self._wall.keys.key("app.review"), self.size.height - 2
            left = f" WAITING FOR YOU: {count} "
            right = f" {key} review · oldest is denied in {self._left(groups[0][0])} if unanswered "
            if len(groups) > lines:
                right = f" and {sum(map(len, groups[lines:]))} more ·" + right
        fill = "─" * max(0, self.size.width - 4 - len(left) - len(right))
        return [("┌─" + left + fill + right + "─┐", style)]

    def _short(self, groups: list[list[Held]], count: int) -> Line:
        if not groups:
            return [(f" {self._nothing}", "dim")]
        held = groups[0][0]
        word, style = risk(held.row)
        left: list[Part] = [
            (f" ? {count} WAITING", "waiting"),
            (f"  oldest {self._left(held)}  ", "waiting"),
        ]
        right: list[Part] = [
            (f" {word}", style),
            (f"  {self._wall.keys.key('app.review')} review ", "accent"),
        ]
        if self.size.width < _SLIM:
            left = [(f" ? {count} waiting {self._left(held)} ", "waiting")]
            right[1] = (f" {self._wall.keys.key('app.review')} ", "accent")
        room = self.size.width - cells(left) - cells(right)
        return spread(
            [*left, (fit(called(held.row), max(0, room)), "strong")], right, self.size.width
        )

    def _group(self, group: list[Held]) -> list[Part]:
        row = group[0].row
        agent = short_agent(row.agent, _AGENT)
        parts: list[Part] = [
            (f"? {self._left(group[0]):5} ", "waiting"),
            (agent + " " * (_AGENT - width(agent) + 1), ""),
            (column(called(row), _CALLED) + "  ", "strong"),
        ]
        room = self.size.width - 4 - cells(parts) - cells(self._marks(group)) - 2
        return [*parts, (summary(row.preview, room), "")]

    def _marks(self, group: list[Held]) -> list[Part]:
        word, style = risk(group[0].row)
        flags = group[0].flags
        alone = f"▲ {flags[0]}" if flags else ""
        note = f"{len(group)} alike" if len(group) > 1 else alone
        return [
            (f"{word:8}", style),
            (column(note, _NOTE if self.size.width < _WIDE else _NOTE_WIDE), "warn"),
        ]
