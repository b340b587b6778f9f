"""Servers and their tools as an app sees them: rows, and one tool with all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine.port_tools import Difference, Inspected, Pin, Recommendation, ServerRow, ToolRow
from mcpwall.engine.servers import Server, pin_of
from mcpwall.model import JsonObject, Tool
from mcpwall.policy.compile import Policy
from mcpwall.policy.definition_flags import flags
from mcpwall.policy.outlook import outlook
from mcpwall.policy.recommend import Recommended, for_tool
from mcpwall.protocol import codec
from mcpwall.protocol.definitions import differences

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.store.tools import ToolEntry

# what a server claims of a tool: hint → in words when it is true, and when it is false
_HINTS: Final = {
    "readOnlyHint": ("reads only", "changes things"),
    "destructiveHint": ("destructive", "not destructive"),
    "idempotentHint": ("repeating changes nothing", ""),
    "openWorldHint": ("open world", "closed world"),
}


def server_row(engine: Engine, server: Server) -> ServerRow:
    """The server as it stands, with every tool that is known of it."""
    told = server.entries.get("")
    tools = [tool_row(engine, server, entry) for name, entry in server.entries.items() if name]
    return ServerRow(
        server.name,
        server.stored.transport,
        server.stored.version,
        server.sessions,
        tuple(tools),
        server.calls,
        server.hash,
        server.stored.first_ms,
        not server.stored.looked,
        told is not None and pin_of(told) is not Pin.PINNED,
        flags(told.listed_text) if told is not None else (),
        tuple(server.said),
        server.stored.complete,
        server.life.shown(),
    )


def tool_row(engine: Engine, server: Server, entry: ToolEntry) -> ToolRow:
    """A tool as it stands; built anew only when something in it may have changed."""
    in_force = (engine.rulebook.hash, engine.rulebook.config.word(server.name))
    if server.rows_for != in_force:
        server.rows.clear()
        server.rows_for = in_force
    row = server.rows.get(entry.name)
    if row is None:
        row = server.rows[entry.name] = _tool_row(engine, server, entry)
    return row


def _tool_row(engine: Engine, server: Server, entry: ToolEntry) -> ToolRow:
    tool = engine.inventory.tool(entry, engine.rulebook.config.word(server.name))
    return row_of(entry, tool, engine.rulebook.own)


def row_of(entry: ToolEntry, tool: Tool, policy: Policy) -> ToolRow:
    """A tool as it stands under these rules."""
    now = outlook(policy, tool)
    return ToolRow(
        entry.name,
        pin_of(entry),
        entry.listed,
        tool.title,
        tool.risk,
        tool.why,
        hints(tool.annotations),
        flags(entry.listed_text),
        entry.first_ms,
        entry.last_ms,
        entry.calls,
        now.hidden,
        now.action,
        now.rules,
        now.text,
        tool.traits.why,
        tool.found,
    )


def hints(annotations: JsonObject) -> tuple[str, ...]:
    """What a server claims of a tool, in words."""
    said = [_HINTS[key][value is False] for key, value in annotations.items()
            if key in _HINTS and isinstance(value, bool)]  # fmt: skip
    return tuple(word for word in said if word)


def inspected(engine: Engine, server: Server, entry: ToolEntry) -> Inspected:
    """All that is known of a tool, or of a server's instructions."""
    row = tool = None
    if entry.name:
        row = tool_row(engine, server, entry)
        tool = engine.inventory.tool(entry, engine.rulebook.config.word(server.name))
    return Inspected(
        server.name,
        entry.listed,
        _fields(entry.listed_text),
        _fields(entry.pinned_text) if entry.pinned else None,
        changes(entry),
        row,
        tool,
        recommendation(for_tool(tool)) if tool is not None else None,
    )


def recommendation(found: Recommended) -> Recommendation:
    """A recommended rule as an app gets it."""
    return Recommendation(found.fields, found.reason)


def changes(entry: ToolEntry) -> tuple[Difference, ...]:
    """Where what a server says now differs from what is pinned; () where nothing is pinned."""
    if not entry.pinned or entry.pinned == entry.listed:
        return ()
    try:
        found = differences(entry.pinned_text, entry.listed_text)
    except ValueError:  # two readings, or too large to keep
        return (Difference("", _text(entry.pinned_text), _text(entry.listed_text)),)
    return tuple(Difference(*each) for each in found)


def _fields(text: bytes) -> JsonObject:
    return codec.object_of(msgspec.Raw(text))


def _text(text: bytes) -> str | None:
    return text.decode("utf-8", "replace") or None
