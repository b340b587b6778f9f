"""Asks the engine for all about one call, and about the one before it that was like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.engine import port_calls
from mcpwall.tui.detail import Known

if TYPE_CHECKING:
    from mcpwall.tui.app import WallApp


async def look_up(wall: WallApp, row: port_calls.Row) -> Known:
    """What the engine can say of `row`; no more than the row itself when it cannot be asked."""
    details = await wall.send(port_calls.Details(row.id))
    if not isinstance(details, port_calls.CallDetails):
        return Known(row, asked=True)
    before = None
    if previous := wall.mirror.previous_like(row):
        earlier = await wall.send(port_calls.Details(previous.id))
        if isinstance(earlier, port_calls.CallDetails) and earlier.arguments is not None:
            before = (previous.id, earlier.arguments)
    return Known(row, details.arguments, details, before, asked=True)
