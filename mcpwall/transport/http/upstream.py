"""The client side of remote servers.

`Remotes` is the engine's one door to all of them; it makes an `Upstream` for each session. What
becomes of one request stands in `transport.http.request`.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from mcpwall.store.logins import Logins
from mcpwall.store.remotes import RemoteConfig, origin
from mcpwall.transport.http.credentials import Credentials, FixedHeaders
from mcpwall.transport.http.remote import Receiver, Sending
from mcpwall.transport.http.request import Request
from mcpwall.transport.http.tokens import TokenHeaders, Tokens
from mcpwall.transport.http.troubles import Troubles

if TYPE_CHECKING:
    from mcpwall.transport.http.client import Connections

_STREAM: Final = "text/event-stream"
_JSON: Final = "application/json"
_PASSED_ON: Final = ("accept", "last-event-id")  # and those of MCP itself


class Remotes:
    """All remote servers. `notice(level, text)` tells the person of a trouble, once.

    `reached`: see `Troubles`.
    """

    def __init__(
        self,
        notice: Callable[[str, str], None],
        reached: Callable[[str, str], None],
        logins: Logins,
    ) -> None:
        self._notice = notice
        self._logins = logins
        self._troubles = Troubles(notice, reached, time.monotonic)
        self._tokens: dict[tuple[str, str], Tokens] = {}
        self._opening: asyncio.Task[Connections] | None = None

    def upstream(
        self, name: str, config: RemoteConfig, environment: Mapping[str, str]
    ) -> HttpUpstream:
        """A server for one session. `environment`: see `FixedHeaders`."""
        credentials: Credentials = FixedHeaders(config, environment)
        if config.oauth is not None:
            credentials = TokenHeaders(credentials, self._token(name, config.url))
        return HttpUpstream(name, config, credentials, self._connections, self._troubles)

    def _token(self, name: str, url: str) -> Tokens:
        """The token of a server, the same one for all its sessions; read anew for each."""
        if (name, url) not in self._tokens:
            self._tokens[name, url] = Tokens(
                name, url, self._logins, fetch=self._fetch, notice=self._notice, wall_ms=_wall_ms
            )
        tokens = self._tokens[name, url]
        tokens.look_again()
        return tokens

    async def _fetch(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        return await (await self._connections()).fetch(method, url, headers, body)

    async def _connections(self) -> Connections:
        if self._opening is None:
            self._opening = asyncio.create_task(_open())
        if self._opening.done():  # all but the first time: no turn of the loop for it
            return self._opening.result()
        return await asyncio.shield(self._opening)

    async def close(self) -> None:
        """Close all connections; nothing is sent any more."""
        if self._opening is not None:
            (connections,) = await asyncio.gather(self._opening, return_exceptions=True)
            if not isinstance(connections, BaseException):  # else there are none
                await connections.close()


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


async def _open() -> Connections:
    """Import the HTTP client in a thread: it takes longer than a loop may stall."""
    module = await asyncio.to_thread(importlib.import_module, "mcpwall.transport.http.client")
    connections: Connections = module.Connections()
    return connections


class HttpUpstream:
    """One remote server as one session uses it; see `remote.Upstream`."""

    def __init__(
        self,
        name: str,
        config: RemoteConfig,
        credentials: Credentials,
        connections: Callable[[], Awaitable[Connections]],
        troubles: Troubles,
    ) -> None:
        self.name = name
        self.place = f"{name} ({origin(config.url)})"
        self.config = config
        self.credentials = credentials
        self.connections = connections
        self.troubles = troubles
        self._requests: set[Request] = set()

    def send(
        self, method: str, body: bytes | None, headers: Mapping[str, str], receiver: Receiver
    ) -> Sending:
        """Send a request; see `remote.Upstream`."""
        request = Request(self, method, body, _passed_on(method, body, headers), receiver)
        self._requests.add(request)
        request.task.add_done_callback(lambda _: self._requests.discard(request))
        return request

    def close(self) -> None:
        """Give up every request under way."""
        for request in tuple(self._requests):
            request.close()


def _passed_on(method: str, body: bytes | None, headers: Mapping[str, str]) -> dict[str, str]:
    """What goes on of a client's headers: nothing that could be a credential."""
    passed = {"accept": _STREAM if method == "GET" else f"{_JSON}, {_STREAM}"}
    for name, value in headers.items():
        small = name.lower()
        if small in _PASSED_ON or small.startswith("mcp-"):
            passed[small] = value
    if body is not None:
        passed["content-type"] = _JSON
    return passed
