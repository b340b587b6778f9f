"""The loopback ports at which agents reach the wall by URL: opened, bounded, closed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Final

from mcpwall.engine.clock import Clock
from mcpwall.store.http import Address
from mcpwall.transport.http.connection import Connection
from mcpwall.transport.http.exchange import Handler, Request
from mcpwall.transport.http.reading import RefusedError

CONNECTIONS_MAX: Final = 256
BODIES_MAX: Final = 256 * 1024 * 1024  # bytes of bodies that are not whole yet, together
_BACKLOG: Final = 256


class PortError(Exception):
    """An address cannot be listened on; says which, why, and what to do."""


class HttpListener:
    """Takes connections on loopback addresses; see `Connection` for `handler`.

    `check` looks at the head of each request, see `Gate.check`; until it is set nobody gets in.
    At most `connections_max` at once: when there are as many, the oldest that is not being
    answered makes room, so that whoever may not come in cannot keep others out.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        handler: Handler,
        connections_max: int = CONNECTIONS_MAX,
        bodies_max: int = BODIES_MAX,
    ) -> None:
        self._clock = clock
        self.check: Callable[[Request], None] = _closed
        self._handler = handler
        self._max = connections_max
        self._bodies = 0
        self._bodies_max = bodies_max
        self._servers: list[asyncio.Server] = []
        self._connections: dict[Connection, None] = {}  # in the order they came
        self.addresses: tuple[Address, ...] = ()

    async def open(self, addresses: Sequence[Address]) -> None:
        """Listen on all of these addresses, or on none of them. Raises PortError."""
        sockets = _bind(addresses)
        loop = asyncio.get_running_loop()
        self.addresses = tuple(sock.getsockname()[:2] for sock in sockets)
        self._servers = [
            await loop.create_server(self._connection, sock=sock, backlog=_BACKLOG)
            for sock in sockets
        ]

    def close(self) -> None:
        """Listen no more and end every connection, with what was written so far."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        for connection in tuple(self._connections):
            connection.close()
        self.addresses = ()

    def _connection(self) -> Connection:
        return Connection(
            clock=self._clock,
            check=self.check,
            handler=self._handler,
            keep=self._keep,
            on_open=self._opened,
            on_over=self._over,
        )

    def _keep(self, size: int) -> None:
        """Count what unfinished bodies take up. Raises RefusedError when it is too much."""
        if size > 0 and self._bodies + size > self._bodies_max:
            raise RefusedError(503, "too many bodies are on their way", {"retry-after": "1"})
        self._bodies += size

    def _opened(self, connection: Connection) -> None:
        """Make room for a connection. Raises RefusedError when there is none."""
        if len(self._connections) >= self._max:
            waiting = next((each for each in self._connections if not each.busy), None)
            if waiting is None:
                raise RefusedError(503, "too many connections", {"retry-after": "1"})
            del self._connections[waiting]
            waiting.abort()
        self._connections[connection] = None

    def _over(self, connection: Connection) -> None:
        self._connections.pop(connection, None)


def _closed(_: Request) -> None:
    raise RefusedError(503, "the wall does not take requests yet")


def _bind(addresses: Sequence[Address]) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for host, port in addresses:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(_BACKLOG)  # here, since some systems find a port taken only now
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise PortError(
            f"cannot listen on {shown((host, port))}: {error.strerror}; agents that come by URL "
            "cannot reach the wall until [http] listen names a free port"
        ) from error
    return sockets


def shown(address: Address) -> str:
    """An address as URLs and Host headers have it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
