"""The calls as they happen."""

from __future__ import annotations

from mcpwall.tui.screens.base import WallScreen


class CallsScreen(WallScreen):
    """The live table."""

    scope = "calls"
