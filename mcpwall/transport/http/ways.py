"""The ways from a session by HTTP to its server, as config.toml says."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from mcpwall.store.remotes import RemoteConfig
from mcpwall.store.schema import AnyServer, ServerConfig
from mcpwall.transport.attention import Attention
from mcpwall.transport.handed_over import HandedOver
from mcpwall.transport.http.child_end import Children
from mcpwall.transport.http.ears import Peer
from mcpwall.transport.http.remote_end import RemoteEnd
from mcpwall.transport.http.session import HttpSession, ServerEnd
from mcpwall.transport.http.stdio_agent import PipedRemote
from mcpwall.transport.http.upstream import Remotes

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine

FAREWELL_S: Final = 1.0  # how long the engine waits for remote servers to hear that it leaves


class Ways:
    """Makes the server's end of each session. `logs`: see `Children`; it closes `remotes`."""

    def __init__(self, engine: Engine, logs: Path, remotes: Remotes) -> None:
        self._engine = engine
        self._children = Children(engine, logs)
        self._remotes = remotes
        self._open: dict[RemoteEnd, asyncio.Event] = {}

    def connect(self, session: HttpSession, name: str, server: AnyServer) -> ServerEnd:
        """The way to a configured server. Raises OSError when it cannot be started."""
        if isinstance(server, ServerConfig):
            return self._children.start(session, name, server)
        return self.remote(session, name, server, {})

    def remote(
        self, peer: Peer, name: str, server: RemoteConfig, environment: Mapping[str, str]
    ) -> RemoteEnd:
        """The way to a remote server. `environment`: what the agent has, see `Remotes.upstream`."""
        upstream = self._remotes.upstream(name, server, environment)
        end = RemoteEnd(self._engine.clock, upstream, peer)
        closed = self._open[end] = asyncio.Event()
        end.on_closed = closed.set
        for each in [each for each, done in self._open.items() if done.is_set()]:
            del self._open[each]
        return end

    def piped(
        self, attention: Attention, link: socket.socket, handed: HandedOver, params: dict[str, Any]
    ) -> PipedRemote:
        """A session of an agent on pipes. Raises ValueError or OSError for one that cannot be."""
        name = str(params.get("server", ""))
        server = self._engine.rulebook.server(name)
        if not isinstance(server, RemoteConfig):
            raise ValueError(f"{name} is no remote server of the config")  # noqa: TRY004 - as named
        environment = msgspec.convert(params.pop("environment", {}), dict[str, str])

        def connect(peer: PipedRemote) -> RemoteEnd:
            return self.remote(peer, name, server, environment)

        return PipedRemote(self._engine, attention, link, handed, params, connect=connect)

    async def close(self) -> None:
        """End the servers that were started here, and the connections to others."""
        await self._children.close()
        waits = [asyncio.ensure_future(done.wait()) for done in self._open.values()]
        if waits:
            _, late = await asyncio.wait(waits, timeout=FAREWELL_S)
            for wait in late:
                wait.cancel()
        await self._remotes.close()
