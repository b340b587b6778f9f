"""Forgetting a server, which a person alone may order: its tools, their pins, what was answered.

What it lists when it comes back is pinned as at first sight. So nothing but a command of an app
leads here, and none does while a session lives: no agent and no server gets rid of a pin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.engine.newcomers import short
from mcpwall.engine.port import Done, ForgottenEvent, Refused, Reply
from mcpwall.engine.servers import What
from mcpwall.engine.tool_commands import CHANGED_SINCE
from mcpwall.store.records import By
from mcpwall.store.tool_events import ToolEvent
from mcpwall.store.tools import ToolsError

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.port_servers import ForgetServer


def forget(engine: Engine, command: ForgetServer) -> Reply:
    """Let a server be one that was never seen. Nothing of it is left in memory or `tools.db`."""
    server = engine.inventory.servers.get(command.server)
    if server is None:
        return Refused(f"no server {command.server!r} has been seen")
    if server.sessions:
        return Refused(
            "an agent has a session with it: let that end, or cut it off on the Sessions screen"
        )
    if command.hash != server.hash:
        return Refused(CHANGED_SINCE)
    try:
        engine.inventory.forget(server)
    except ToolsError as error:
        return Refused(f"nothing was forgotten: {error}")
    now = engine.clock.wall_ms(), engine.clock.steady_ns()
    engine.recorder.tools([ToolEvent(*now, server.name, "", What.FORGOTTEN, "", "", By.PERSON)])
    engine.remember(engine.answers.without_tool(server.name, ""))
    engine.feed.publish(ForgottenEvent(server.name))
    return Done(f"{short(server.name)} is forgotten")
