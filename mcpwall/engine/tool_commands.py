"""What an app may order about tools: look at one, and accept what waits for a person.

A decision quotes the fingerprint that was on screen; anything else is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.engine import sightings, tool_views
from mcpwall.engine.port import Done, Refused, Reply
from mcpwall.engine.port_tools import AcceptServer, AcceptTool, Inspect, Pin
from mcpwall.engine.servers import Server, pin_of
from mcpwall.store.tools import ToolEntry, ToolsError

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine

CHANGED_SINCE = "it has changed since it was shown; look again"
TOO_LARGE = "its definition is too large to be shown whole, and nobody accepts what they cannot see"


def inspect(engine: Engine, command: Inspect) -> Reply:
    """All that is known of one tool, or of a server's instructions."""
    found = find(engine, command.server, command.tool)
    if isinstance(found, Refused):
        return found
    return tool_views.inspected(engine, *found)


def accept_tool(engine: Engine, command: AcceptTool) -> Reply:
    """Pin what a server lists now under one name."""
    found = find(engine, command.server, command.tool)
    if isinstance(found, Refused):
        return found
    server, entry = found
    match pin_of(entry):
        case Pin.PINNED:
            return Refused("it is as it was pinned: there is nothing to accept")
        case Pin.GONE:
            return Refused("the server does not list it any more")
        case Pin.DOUBLED:
            return Refused(
                "the server gives it two meanings, so nobody knows which of them a call would "
                "run; it must list the tool once"
            )
    if command.hash != entry.listed:
        return Refused(CHANGED_SINCE)
    if not entry.listed_text:
        return Refused(TOO_LARGE)
    return _accept(engine, server, [entry], looked=False)


def accept_server(engine: Engine, command: AcceptServer) -> Reply:
    """Pin all that a server says now, and call the server known."""
    server = engine.inventory.servers.get(command.server)
    if server is None:
        return Refused(f"no server {command.server!r} has been seen")
    if command.hash != server.hash:
        return Refused(CHANGED_SINCE)
    waiting = [e for e in server.entries.values() if pin_of(e) in (Pin.NEW, Pin.CHANGED)]
    if large := next((entry.name for entry in waiting if not entry.listed_text), ""):
        return Refused(f"{large}: {TOO_LARGE}; accept the others one by one")
    return _accept(engine, server, waiting, looked=True)


def find(engine: Engine, name: str, tool: str) -> tuple[Server, ToolEntry] | Refused:
    """A server that has been seen and one of its tools; with the name "" its instructions."""
    server = engine.inventory.servers.get(name)
    if server is None:
        return Refused(f"no server {name!r} has been seen")
    entry = server.entries.get(tool)
    if entry is None:
        what = f"no tool {tool!r}" if tool else "no instructions"
        return Refused(f"{what} of {name!r} has been seen")
    return server, entry


def _accept(engine: Engine, server: Server, entries: list[ToolEntry], *, looked: bool) -> Reply:
    try:
        events = engine.inventory.accept(server, entries, looked=looked)
    except ToolsError as error:
        return Refused(f"nothing was accepted: {error}")
    sightings.accepted(engine, server, events)
    return Done("accepted")
