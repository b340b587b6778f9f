"""What every screen of the app has in common: its frame, and how a key becomes an action.

A screen names its `scope` in the key table and has a method `do_NAME` for each action of it.
Actions of the scope `app` are methods of the app. No Textual bindings are used: a key that cannot
do its work says why instead of doing nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.screen import ModalScreen, Screen

from mcpwall.tui.keys import key_name
from mcpwall.tui.mirror import Part
from mcpwall.tui.widgets.frame import Footer, HeaderLine, TabLine, TooSmall

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from mcpwall.tui.app import WallApp
    from mcpwall.tui.keys import Action
    from mcpwall.tui.mirror import Changes, Mirror


_WIDTHS = [(0, "-cramped"), (TooSmall.WIDTH, "-slim"), (60, "-narrow"), (110, "-beside"),
           (160, "-broad")]  # fmt: skip
_HEIGHTS = [(0, "-flat"), (TooSmall.HEIGHT, "-tiny"), (16, "-low"), (22, "-short"), (30, "-tall")]


class Keys(Screen[object]):
    """Turns keys into actions. Keys that a focused input takes never arrive here."""

    scope: ClassVar[str]
    AUTO_FOCUS = ""  # nothing that a key could press has the focus by itself

    @property
    def wall(self) -> WallApp:
        """The app that shows this screen."""
        return cast("WallApp", self.app)

    @property
    def mirror(self) -> Mirror:
        """What is known of the engine."""
        return self.wall.mirror

    def key_read(self, event: events.Key) -> bool:
        """Sees each key first, with the `event.time` of its reading; True: it was dealt with."""
        del event
        return False

    def on_key(self, event: events.Key) -> None:
        """Run what the table says of this key, unless it edits the text of an input."""
        dealt_with = self.key_read(event)
        bound = self.active_bindings.get(event.key) if self.focused else None
        if not dealt_with and bound and bound.node is self.focused:
            return
        event.stop()
        event.prevent_default()
        if dealt_with:
            return
        if action := self.find_action(key_name(event.key, event.character)):
            self.perform(action)

    def find_action(self, key: str) -> Action | None:
        """What a key does here."""
        return self.wall.keys.find(self.scope, key)

    def perform(self, action: Action) -> None:
        """Carry out an action, or say why it cannot be done now."""
        if why := self.why_off(action):
            self.wall.say(f"{self.wall.keys.key(action.id)} {action.name}: {why}", "warning")
            return
        target = self.wall if action.scope == "app" else self
        getattr(target, f"do_{action.name}")()

    def why_off(self, action: Action) -> str:
        """Why an action cannot be done now, or an empty string. Screens add their own reasons."""
        return self.wall.engine_gone if action.engine else ""

    def changed(self, changes: Changes) -> None:
        """The mirror changed. Called at most ten times a second, shown or not, once mounted."""

    def refresh_frame(self) -> None:
        """Draw header, tabs and footer again, those that there are."""
        for part in self.query("HeaderLine, TabLine, Footer"):
            part.refresh()

    def tick(self) -> None:
        """A second passed while this screen was shown: countdowns move."""


class WallScreen(Keys, inherit_bindings=False):
    """A whole screen: header, tabs, `body()`, footer.

    Below 40x12 it only says what it needs. For the styles of the bodies it has one class of
    `-slim`, `-narrow`, `-beside`, `-broad` by its width and one of `-tiny`, `-low`, `-short`,
    `-tall` by its height.
    """

    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS
    DEFAULT_CSS = """
    WallScreen > TooSmall { display: none; }
    WallScreen.-cramped > *, WallScreen.-flat > * { display: none; }
    WallScreen.-cramped > TooSmall, WallScreen.-flat > TooSmall { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._header = HeaderLine()
        self._tabs = TabLine()
        self._too_small = TooSmall()

    def compose(self) -> ComposeResult:
        """The frame around the body."""
        yield self._header
        yield self._tabs
        yield from self.body()
        yield Footer()
        yield self._too_small

    def body(self) -> ComposeResult:
        """The widgets between tabs and footer."""
        yield from ()

    def find_action(self, key: str) -> Action | None:
        """What a key does here or everywhere."""
        return super().find_action(key) or self.wall.keys.find("app", key)

    def refresh_header(self, parts: Part) -> None:
        """Draw again what speaks of these parts of the mirror."""
        self._header.refresh()
        if parts & (Part.HELD | Part.STATUS):
            self._tabs.refresh()
            self._too_small.refresh()

    def frame(self) -> None:
        """What changed is taken in, if anything did. Called ten times a second while in sight."""

    def on_screen_resume(self) -> None:
        """Shown again: what changed meanwhile must be seen."""
        self.refresh_frame()


class WallModal(Keys, ModalScreen[object], inherit_bindings=False):
    """Something that lies over a screen and takes all keys until it is closed."""

    def do_close(self) -> None:
        """Close without a result."""
        self.dismiss(None)
