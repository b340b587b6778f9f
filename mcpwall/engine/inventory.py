"""The servers that were seen, and the tools that they listed, with the risk of each."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

import msgspec

from mcpwall.engine.port import ServerRow
from mcpwall.engine.port_tools import Pin, ToolRow
from mcpwall.model import JsonObject, Tool
from mcpwall.policy.risk import classify
from mcpwall.policy.traits import traits_of

CLASSIFIED_MAX: Final = 4_096  # definitions whose risk is remembered

_canonical = msgspec.json.Encoder(order="deterministic")


class Server(msgspec.Struct):
    """One server by its configured name."""

    name: str
    transport: str
    version: str = ""
    sessions: int = 0
    calls: int = 0
    tools: dict[str, Tool] = {}

    def row(self) -> ServerRow:
        """The server as it stands, for a screen."""
        tools = tuple(
            ToolRow(tool.name, Pin.PINNED, "", tool.title, tool.risk, tool.why)
            for tool in self.tools.values()
        )
        return ServerRow(self.name, self.transport, self.version, self.sessions, tools, self.calls)


class Inventory:
    """All servers by name. A definition is classified once."""

    def __init__(self) -> None:
        self.servers: dict[str, Server] = {}
        self._classified: OrderedDict[tuple[str, bool, bytes], Tool] = OrderedDict()

    def server(self, name: str, transport: str) -> Server:
        """The server of this name, made known if it is new."""
        if name not in self.servers:
            self.servers[name] = Server(name, transport)
        return self.servers[name]

    def tool(self, server: str, definition: JsonObject, *, trusted: bool) -> Tool:
        """A tool as its server defined it, with its risk; `trusted`: hints may lower that."""
        key = (server, trusted, hashlib.sha256(_canonical.encode(definition)).digest())
        known = self._classified.get(key)
        if known is None:
            known = self._classified[key] = _tool(server, definition, trusted=trusted)
            if len(self._classified) > CLASSIFIED_MAX:
                self._classified.popitem(last=False)
        return known


def _tool(server: str, definition: JsonObject, *, trusted: bool) -> Tool:
    def text(key: str) -> str:
        return value if isinstance(value := definition.get(key), str) else ""

    def table(key: str) -> JsonObject:
        return value if isinstance(value := definition.get(key), dict) else {}

    name, description = text("name"), text("description")
    schema, hints = table("inputSchema"), table("annotations")
    risk, why = classify(name, description, schema, hints, trusted=trusted)
    traits = traits_of(name, description, schema, hints, risk, trusted=trusted)
    return Tool(server, name, text("title"), description, schema, hints, risk, why, traits)
