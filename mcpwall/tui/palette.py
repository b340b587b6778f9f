"""The command palette: every action of the screen in front by name, from the key table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from mcpwall.tui.keys import shown
from mcpwall.tui.screens.base import WallScreen

if TYPE_CHECKING:
    from mcpwall.tui.app import WallApp
    from mcpwall.tui.keys import Action


class Actions(Provider):
    """Finds actions by their names and the words of their help line."""

    def _actions(self) -> list[Action]:
        screen = cast("WallScreen", self.screen)
        scopes = (screen.scope, "app")
        keys = cast("WallApp", self.app).keys
        return [action for action in keys if action.scope in scopes and action.id != "app.commands"]

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action in self._actions():
            yield DiscoveryHit(_said(action), partial(self._perform, action), action.help)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for action in self._actions():
            if (score := matcher.match(_said(action))) > 0:
                yield Hit(score, matcher.highlight(_said(action)), partial(self._perform, action))

    def _perform(self, action: Action) -> None:
        cast("WallScreen", self.screen).perform(action)


def _said(action: Action) -> str:
    """What it is called beside its key, and what it does: people look for either."""
    said = f"{action.label}: {action.help}" if action.label else action.help
    return f"{said}  ({' '.join(shown(key) for key in action.keys)})"
