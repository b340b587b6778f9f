"""The ways from a session by HTTP to its server, as config.toml says."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from mcpwall.store.schema import AnyServer, ServerConfig
from mcpwall.transport.http.child_end import Children
from mcpwall.transport.http.session import HttpSession, ServerEnd

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine


class Ways:
    """Makes the server's end of each session. `logs`: see `Children`."""

    def __init__(self, engine: Engine, logs: Path) -> None:
        self._children = Children(engine, logs)

    def connect(self, session: HttpSession, name: str, server: AnyServer) -> ServerEnd:
        """The way to a configured server. Raises OSError when it cannot be started."""
        if isinstance(server, ServerConfig):
            return self._children.start(session, name, server)
        raise OSError(errno.ENOTSUP, "agents by URL do not reach remote servers yet")

    async def close(self) -> None:
        """End the servers that were started here."""
        await self._children.close()
