"""The engine's own `EnginePort`: what an app is given, in this process or at a socket's far end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from mcpwall.engine import commands, editing, views
from mcpwall.engine.following import follow
from mcpwall.engine.port import Batch, Command, Reply, Snapshot
from mcpwall.engine.port_answers import CheckEdit
from mcpwall.engine.port_calls import Search
from mcpwall.engine.search import search

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine


class LocalPort:
    """An `EnginePort` on an engine of the same event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def snapshot(self) -> Snapshot:
        """Everything at this moment."""
        return views.snapshot(self._engine)

    def feed(self, after: int) -> AsyncIterator[Batch]:
        """Batches of events numbered above `after`, without end."""
        return follow(self._engine.feed, after)

    async def send(self, command: Command) -> Reply:
        """Carry out a command."""
        if isinstance(command, CheckEdit):
            return await editing.check(self._engine, command)
        if isinstance(command, Search):
            return await search(self._engine, command)
        return commands.carry_out(self._engine, command)
