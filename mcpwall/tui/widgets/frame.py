"""What frames every screen: who is guarded, which screens there are, which keys work."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from mcpwall.tui.keys import MODAL, shown
from mcpwall.tui.mode import ALLOW_ALL, mode
from mcpwall.tui.timing import clock, lasted
from mcpwall.tui.widgets.lines import Line, LineWidget, Part, cells, spread
from mcpwall.tui.words import LOCKED, many

if TYPE_CHECKING:
    from mcpwall.tui.app import WallApp
    from mcpwall.tui.keys import Action
    from mcpwall.tui.screens.base import WallModal, WallScreen

_NARROW = 100  # cells: below this the header is short of room
_SLIM = 60  # and below this so is everything else
_ROOM_FOR_ENGINE = 36


class _Frame(LineWidget):
    DEFAULT_CSS = "_Frame { height: 1; background: $panel; }"

    @property
    def wall(self) -> WallApp:
        """The app."""
        return cast("WallApp", self.app)


class HeaderLine(_Frame):
    """State of the wall, who is there, counts since the engine started, the mode, the time."""

    def line(self, y: int) -> Line:
        """The one line."""
        del y
        mirror, totals = self.wall.mirror, self.wall.mirror.totals
        now = self.wall.now()
        live = [session for session in mirror.sessions.values() if not session.ended]
        agents = len({session.agent for session in live})
        servers = len({session.server for session in live})
        rate = mirror.rate(now)
        speed = f"{rate:.0f}/s" if rate >= 1 or rate == 0 else f"{rate * 60:.0f}/min"
        numbers = (
            (f"✓ {totals.allowed:,}", "ok"),
            (f"✗ {totals.denied:,}", "bad"),
            (f"~ {totals.limited:,}", "warn"),
            (f"! {totals.errors:,}", "bad"),
        )
        room = self.size.width
        gap = " " if room < _SLIM else "  "
        counts = [part for number in numbers for part in (number, (gap, ""))][:-1]
        left: list[Part] = [(" mcpwall  ", "title"), self._state(), ("  ", "")]
        who = f"{many(agents, 'agent')} · {many(servers, 'server')}  "
        left += [(who, ""), (f"{many(totals.calls, 'call')} {speed}  ", ""), *counts]
        if room < _SLIM:
            left = [(" ", ""), self._state(), (" ", ""), *counts]
        elif room < _NARROW:
            left = [(" mcpwall ", "title"), self._state(), (" ", ""), *counts, (f"  {speed}", "")]
        time: Part = (f" {clock(now * 1000, self.wall.zone)} ", "dim")
        said = self._mode()
        rights: list[list[Part]] = [[said, time], [said], [time]] if said[0] else [[time]]
        right = next((each for each in rights if cells(left) + cells(each) <= room), [])
        return spread(left, right, room)

    def _mode(self) -> Part:
        """What happens where no rule decides, while that is so and there is room to say it."""
        status = self.wall.mirror.status
        if self.size.width < _SLIM or self.wall.engine_away or not status or status.lockdown:
            return ("", "")
        word = mode(status.defaults)
        return (f" {word} ", "warn" if word == ALLOW_ALL else "dim")

    def _state(self) -> Part:
        status = self.wall.mirror.status
        if away := self.wall.engine_away:
            return (str(away), away.style)
        if status is None:
            return ("○ connecting", "dim")
        if status.lockdown:
            said = str(LOCKED)
            return (said if self.size.width >= _SLIM else said.partition(":")[0], LOCKED.style)
        return ("● GUARDING", "ok")


class TabLine(_Frame):
    """The screens with their number keys, and the engine."""

    def line(self, y: int) -> Line:
        """The one line."""
        del y
        left = self._tabs(slim=False)
        if cells(left) > self.size.width:
            left = self._tabs(slim=True)
        return spread(left, self._engine(self.size.width - cells(left)), self.size.width)

    def _tabs(self, *, slim: bool) -> list[Part]:
        """The screens; slim ones have their numbers alone, but for the one that is shown."""
        left: list[Part] = [(" ", "")]
        for scope, title in self.wall.tabs():
            keys = self.wall.keys[f"app.{scope}"].keys
            key = next(filter(str.isdigit, keys), keys[0])
            here = scope == cast("WallScreen", self.screen).scope
            text = shown(key) if slim and not here else f"{shown(key)} {title}"
            held = len(self.wall.mirror.waiting) if scope == "review" else 0
            left += [
                (f"[{text}" if here else f" {text}", "title" if here else ""),
                (f" ?{held}" if held and slim else f" {held}" if held else "", "waiting"),
                ("]" if here else " ", "title"),
                ("" if slim else " ", ""),
            ]
        return left

    def _engine(self, room: int) -> Line:
        """What is wrong with the engine, cut so that the tabs stay; else which one it is."""
        if trouble := self._trouble():
            brief, whole = trouble
            return [(f"{whole if len(whole) < room else brief} ", "alarm")]
        status = self.wall.mirror.status
        if status is None or room <= _ROOM_FOR_ENGINE:
            return []
        up = lasted(self.wall.now() - status.started_ms / 1000)
        return [(f"engine {status.pid} · up {up} ", "dim")]

    def _trouble(self) -> tuple[str, str] | None:
        """What is wrong, in a few cells and in a sentence. The header says of a lost engine."""
        status = self.wall.mirror.status
        if self.wall.engine_gone:
            return "", self.wall.engine_gone
        if status is None:
            return None
        if status.store_fault:
            return "▲ store", "▲ the shared store is away: calls are denied"
        if status.config_error:
            return "▲ config", "▲ config.toml does not load: last good rules hold"
        if status.outside_edit:
            return "▲ edit", "▲ an edit from outside waits: see Rules"
        if status.http.error:
            return "▲ URLs", "▲ no agent can come by URL: see `mcpwall status`"
        return None


class Footer(_Frame):
    """The keys that work here, from the key table; those that cannot work now are dim."""

    DEFAULT_CSS = "Footer { dock: bottom; }"
    _FIRST: ClassVar = {"calls": ("app.review", "app.filter"), "review": ()}
    _ALWAYS = ("app.lockdown", "app.help", "app.commands", "app.detach")
    _FEW = ("app.help", "app.detach")  # where there is no room for more

    def line(self, y: int) -> Line:
        """The one line."""
        del y
        keys, screen = self.wall.keys, cast("WallScreen | WallModal", self.screen)
        own = [action for action in keys.of(screen.scope) if action.label]
        right: list[Part] = []
        if screen.scope not in MODAL:
            own = [keys[id_] for id_ in self._FIRST.get(screen.scope, ("app.review",))] + own
            for id_ in self._ALWAYS if self.size.width >= _SLIM else self._FEW:
                right += self._piece(keys[id_])
        left: list[Part] = [(" ", "")]
        for action in own:
            piece = self._piece(action)
            if cells(left) + cells(piece) + cells(right) > self.size.width:
                break
            left += piece
        return spread(left, right, self.size.width)

    def _piece(self, action: Action) -> list[Part]:
        off = bool(cast("WallScreen | WallModal", self.screen).why_off(action))
        gap = " " if self.size.width < _NARROW else "  "
        key = shown(action.keys[0])
        return [(key, "dim" if off else "accent"), (f" {action.label}{gap}", "dim" if off else "")]


class TooSmall(LineWidget):
    """In place of everything where nothing would fit: what the app needs."""

    WIDTH, HEIGHT = 40, 12
    DEFAULT_CSS = "TooSmall { height: 1fr; }"

    def line(self, y: int) -> Line:
        """Needed and present size, in short lines."""
        wall = cast("WallApp", self.app)
        held = len(wall.mirror.waiting)
        has = self.app.size
        lines: list[Line] = [
            [(" mcpwall", "title")],
            [(f" needs {self.WIDTH}x{self.HEIGHT} cells", "")],
            [(f" this is {has.width}x{has.height}", "")],
            [(f" ? {many(held, 'call')} waiting", "waiting")] if held else [],
        ]
        return lines[y] if y < len(lines) else []
