"""An EnginePort that outlives engines, for clients that stay: the app, and `mcpwall watch`."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from mcpwall.engine.port import EngineGoneError
from mcpwall.link.client import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcpwall.engine.port import Batch, Command, EnginePort, Reply, Snapshot
    from mcpwall.link.wire import Role


class LastingPort:
    """An EnginePort whose `snapshot` connects again where the engine went.

    It never starts one: whoever stopped the wall meant it. Its path is the control socket's, None
    for this user's.
    """

    def __init__(self, path: str | None = None, role: Role = "app") -> None:
        self._path = path
        self._role = role
        self._port: EnginePort | None = None
        self._open = AsyncExitStack()

    async def snapshot(self) -> Snapshot:
        """See EnginePort."""
        if self._port is not None:
            try:
                return await self._port.snapshot()
            except EngineGoneError:
                self._port = None
                await self._open.aclose()
        self._port = await self._open.enter_async_context(connect(self._path, self._role))
        return await self._port.snapshot()

    def feed(self, after: int) -> AsyncIterator[Batch]:
        """See EnginePort."""
        return self._there().feed(after)

    async def send(self, command: Command) -> Reply:
        """See EnginePort."""
        return await self._there().send(command)

    async def aclose(self) -> None:
        """Give up the connection."""
        self._port = None
        await self._open.aclose()

    def _there(self) -> EnginePort:
        if self._port is None:
            raise EngineGoneError("not connected to the engine yet")
        return self._port
