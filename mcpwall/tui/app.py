"""The app as a whole: its hold on the engine, its screens, and what works on all of them.

The app is one more client of the engine. It sees an `EnginePort` and nothing else of it; when the
engine goes, the app says so and attaches again by itself. Nothing that happens here delays a call.
"""

from __future__ import annotations

import importlib
import signal
import time
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text

from mcpwall.engine import port, port_calls
from mcpwall.text import visible
from mcpwall.tui import notices
from mcpwall.tui.attached import Attached
from mcpwall.tui.calling import KEEP_TITLE, PUT_TITLE_BACK, Calling
from mcpwall.tui.keys import KeyMap
from mcpwall.tui.mirror import Part
from mcpwall.tui.screens.base import Keys, WallModal, WallScreen
from mcpwall.tui.settings import Settings
from mcpwall.tui.terminal import (
    end_in_order,
    last_words,
    lasting,
    lend,
    suspend,
    take_back_on_continue,
)
from mcpwall.tui.theming import Themed
from mcpwall.tui.words import many

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from textual.driver import Driver
    from textual.screen import Screen

    from mcpwall.tui.mirror import Changes
    from mcpwall.tui.screens.audit import AuditScreen
    from mcpwall.tui.screens.calls import CallsScreen
    from mcpwall.tui.screens.review import ReviewScreen
    from mcpwall.tui.screens.rules import RulesScreen

_REPAINT_S = 0.1


class WallApp(Attached, Themed, inherit_bindings=False):
    """The terminal app.

    `engine` is its hold on the engine. `moved` is `[keys]` of the config: action id to keys (raises
    KeysError); `settings` is its `[app]`. `now` gives seconds since the epoch; `zone` is for times
    of day, None for local.
    """

    TITLE = "mcpwall"
    AUTO_FOCUS = ""
    ENABLE_COMMAND_PALETTE = False
    CSS = notices.CSS

    def __init__(
        self,
        engine: port.EnginePort,
        *,
        moved: Mapping[str, str] | None = None,
        settings: Settings | None = None,
        now: Callable[[], float] = time.time,
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__(engine, now)
        self.keys = KeyMap(moved)
        self.zone = zone
        self._settings = settings or Settings()
        self.agents = self._settings.agents
        self._calling = Calling(bell=self._settings.bell, notify=self._settings.notify)
        self._walls: dict[str, WallScreen] = {}
        self.begin_with(self._settings.theme)

    def get_driver_class(self) -> type[Driver]:
        """What draws on the terminal, and goes on when that is gone."""
        return lasting(super().get_driver_class())

    def get_default_screen(self) -> WallScreen:
        """The screen to begin with: the calls."""
        screen = self.wall("calls")
        screen._push_result_callback(self, None)  # noqa: SLF001 - as if pushed: it can be switched
        return screen

    async def on_mount(self) -> None:
        """Attach, wait a moment so that the first frame knows the engine, begin to repaint."""
        self._to_terminal(KEEP_TITLE)
        take_back_on_continue(self._driver)
        if not self.is_headless:
            end_in_order(self, signal.SIGTERM)
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.attach()
        await self.first_answer()
        self.set_interval(_REPAINT_S, self.repaint)
        self.set_interval(1.0, self._tick)

    # --- drawing --------------------------------------------------------------------------------

    def repaint(self) -> None:
        """Tell the screens what changed since the last time."""
        changes = self.mirror.drain()
        if Part.HELD in changes.parts:
            waiting = [held.row.id for held in self.mirror.waiting]
            self._to_terminal(self._calling.step(waiting, self.now(), focused=self.app_focus))
        for notice in notices.newest(changes.notices, notices.most(self.size)):
            self.say(notice.text, notice.level)
        if changes.parts:
            self._tell_screens(changes)
        for wall in self._in_sight:
            wall.frame()

    def _tell_screens(self, changes: Changes) -> None:
        front = self._front
        for screen in (*self._walls.values(), *([front] if isinstance(front, WallModal) else ())):
            if screen.is_mounted:
                screen.changed(changes)
        for wall in self._in_sight:
            wall.refresh_header(changes.parts)
            if changes.reset:
                wall.refresh_frame()

    def engine_changed(self) -> None:
        """The engine is gone, or silent, or back."""
        away = self.engine_away
        self._to_terminal(self._calling.away(away.word.lower() if away else ""))
        for screen in self.screen_stack:
            if isinstance(screen, Keys):
                screen.refresh_frame()

    @property
    def _front(self) -> Screen[object] | None:
        """The screen in front; none while the app closes."""
        return self.screen_stack[-1] if self.screen_stack else None

    @property
    def _in_sight(self) -> list[WallScreen]:
        """The screen whose frame is seen, alone or behind what lies over it."""
        return [screen for screen in self.screen_stack if isinstance(screen, WallScreen)]

    def _tick(self) -> None:
        if not self.is_running:
            return  # it closes: screens have lost their parts, this timer runs on
        screen = self._front
        for wall in self._in_sight:
            wall.refresh_frame()
        if isinstance(screen, Keys) and screen.is_mounted:
            screen.tick()

    def _to_terminal(self, sequences: str) -> None:
        """Send what a terminal obeys: our own words alone."""
        if sequences and self._driver is not None:
            self._driver.write(sequences)

    def _fatal_error(self) -> None:
        """Leave with words of our own: those of Textual have the values of all variables."""
        if not self._exit_renderables:
            self.panic(Text(last_words(self._exception)))

    def on_unmount(self) -> None:
        """Leave the terminal's title as it was found."""
        self._to_terminal(PUT_TITLE_BACK)

    def say(self, text: str, level: str = "info") -> None:
        """Tell the person something in one line; `level` is "info", "warning" or "error"."""
        severity, seconds = notices.severity(level), notices.seconds(level)
        signed = notices.signed(visible(text), level)
        self.notify(signed, severity=severity, markup=False, timeout=seconds)

    def on_notify(self) -> None:
        """A notice is about to be shown: take away the oldest where many stand."""
        for oldest in list(self._notifications)[: 1 - notices.most(self.size)]:
            self._unnotify(oldest, refresh=False)

    def copy(self, text: str, what: str) -> None:
        """Put text that is safe to paste on the clipboard, and say so."""
        self.copy_to_clipboard(text)
        self.say(f"{what} copied")

    # --- screens --------------------------------------------------------------------------------

    WALLS: ClassVar[dict[str, tuple[str, str]]] = {
        "calls": ("Calls", "CallsScreen"),
        "review": ("Pending", "ReviewScreen"),
        "rules": ("Rules", "RulesScreen"),
        "servers": ("Servers", "ServersScreen"),
        "sessions": ("Sessions", "SessionsScreen"),
        "audit": ("Audit", "AuditScreen"),
    }

    def tabs(self) -> list[tuple[str, str]]:
        """Scope and title of the screens, in the order of their number keys."""
        return [(scope, title) for scope, (title, _) in self.WALLS.items()]

    def wall(self, scope: str) -> WallScreen:
        """The screen of a scope, loaded when it is first wanted: the first paint waits for one."""
        if scope not in self._walls:
            module = importlib.import_module(f"mcpwall.tui.screens.{scope}")
            screen: WallScreen = getattr(module, self.WALLS[scope][1])()
            self._walls[scope] = screen
            self.install_screen(screen, scope)  # else it would be taken apart when left
        return self._walls[scope]

    def open(self, scope: str) -> WallScreen:
        """Show a screen and return it."""
        screen = self.wall(scope)
        if self.screen is not screen:
            self.switch_screen(screen)
        return screen

    def rule_from(self, row: port_calls.Row) -> None:
        """Write a rule about the tool of a call."""
        from mcpwall.tui.rules.draft import fields_from_call
        from mcpwall.tui.widgets.rule_form import RuleForm

        self.push_screen(RuleForm(fields_from_call(row)))

    def exception_for(self, row: port_calls.Row) -> None:
        """Write a standing approval for the tool of a call."""
        from mcpwall.tui.review.habit import offered
        from mcpwall.tui.widgets.rule_form import RuleForm

        self.push_screen(RuleForm(offered(row, allow=True)))

    def show_call(self, row: port_calls.Row) -> None:
        """Show all about a call, over the whole screen."""
        from mcpwall.tui.screens.call import CallScreen

        self.push_screen(CallScreen(row))

    def show_rule(self, rule: str) -> None:
        """Show a rule in its place among the others."""
        self.select_rule(rule)
        self.open("rules")

    def select_rule(self, rule: str) -> None:
        """Have a rule selected on the Rules screen, now or when that is opened."""
        cast("RulesScreen", self.wall("rules")).select(rule)

    def edit_file(self, path: str, line: int = 0) -> None:
        """Open a file in the person's editor, which has the terminal until it ends."""
        self._lend_terminal(lambda: self._settings.edit(path, line))

    def play_demo(self) -> None:
        """Run the demo, a wall of its own, which has the terminal until it ends."""
        self._lend_terminal(self._settings.demo)

    def _lend_terminal(self, run: Callable[[], str]) -> None:
        if said := lend(self, run):
            self.say(said, "error")

    def filter_calls(self, text: str) -> None:
        """Show the calls that match."""
        screen = cast("CallsScreen", self.open("calls"))
        self.call_after_refresh(screen.put_filter, text)

    def review_call(self, call: int) -> None:
        """Show a waiting call in Review."""
        cast("ReviewScreen", self.open("review")).show_call(call)

    # --- what works everywhere ------------------------------------------------------------------

    def do_calls(self) -> None:
        """Show the calls."""
        self.open("calls")

    def do_review(self) -> None:
        """Show what waits."""
        self.open("review")

    def do_rules(self) -> None:
        """Show the rules."""
        self.open("rules")

    def do_servers(self) -> None:
        """Show servers and tools."""
        self.open("servers")

    def do_sessions(self) -> None:
        """Show who is connected."""
        self.open("sessions")

    def do_audit(self) -> None:
        """Show the record."""
        self.open("audit")

    def do_filter(self) -> None:
        """Type a filter, for the record where that is shown, else for the calls."""
        if self.screen is self._walls.get("audit"):
            cast("AuditScreen", self.screen).do_search()
            return
        screen = cast("CallsScreen", self.open("calls"))
        self.call_after_refresh(screen.edit_filter)

    def do_help(self) -> None:
        """All keys, those of this screen first."""
        from mcpwall.tui.screens.help import HelpScreen

        about = self.screen.scope if isinstance(self.screen, WallScreen) else ""
        self.push_screen(HelpScreen(about))

    def do_commands(self) -> None:
        """All actions by name."""
        from textual.command import CommandPalette

        from mcpwall.tui.palette import Actions

        self.push_screen(CommandPalette([Actions], placeholder="what do you want to do?"))

    def do_guard(self) -> None:
        """Agents' config files, and the change that would guard their servers."""
        from mcpwall.tui.screens.agents import AgentsScreen

        self.push_screen(AgentsScreen())

    def do_theme(self) -> None:
        """Dark, light or high-contrast colours, remembered."""
        self._settings.remember(self.use_next())

    def do_leave(self) -> None:
        """Ctrl-C ends other programs; here it says what does."""
        detach, stop = self.keys.key("app.detach"), self.keys.key("app.stop")
        self.say(f"{detach} leaves the app, the wall stands; {stop} stops the wall")

    def do_suspend(self) -> None:
        """Give the terminal back to the shell, as ctrl+z does of other programs."""
        if said := suspend(self):
            self.say(said, "warning")

    def do_detach(self) -> None:
        """Leave; the wall stands."""
        self.exit()

    def do_lockdown(self) -> None:
        """Refuse everything at once; let calls through again after a confirm."""
        self.run_worker(self._lockdown())

    def do_stop(self) -> None:
        """End the engine after a confirm, and leave."""
        self.run_worker(self._stop())

    async def _lockdown(self) -> None:
        on = self.mirror.status is not None and self.mirror.status.lockdown
        if on and not await self.confirm(
            "Let calls through again?", "The rules decide on each call, as before."
        ):
            return
        await self.tell(port.Lockdown(not on))

    async def _stop(self) -> None:
        live = sum(not session.ended for session in self.mirror.sessions.values())
        if await self.confirm(
            "Stop the wall?",
            f"{many(live, 'session')} with agents will end: the tools of these agents fail "
            "until they start them again. Detach to leave the wall standing.",
        ) and isinstance(await self.tell(port.Stop()), port.Done):
            self.exit()

    async def tell(self, command: port.Command) -> port.Reply:
        """Send a command and say what the engine says to it."""
        reply = await self.send(command)
        match reply:
            case port.Refused(text=text):
                self.say(text, "error")
            case port.Done(text=text) if text:
                self.say(text)
        return reply

    async def confirm(self, question: str, *because: str) -> bool:
        """Ask the person; all texts are our own. Call it in a worker."""
        from mcpwall.tui.screens.confirm import ConfirmScreen

        return await self.push_screen_wait(ConfirmScreen(question, because)) is True
