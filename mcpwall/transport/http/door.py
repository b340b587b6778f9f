"""The way in for agents that come by URL: listener, gate and token, as the config wants them.

A port that cannot be had is told and tried again from time to time; the engine goes on without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mcpwall.engine.clock import Clock
from mcpwall.engine.port import Http
from mcpwall.store import token
from mcpwall.store.files import UnsafeFileError
from mcpwall.store.http import Address, HttpConfig
from mcpwall.transport.http.exchange import Handler
from mcpwall.transport.http.gate import Gate
from mcpwall.transport.http.listener import HttpListener, PortError, shown

AGAIN_NS: Final = 10_000_000_000  # between two tries to get a port


class Door:
    """Opens and closes with the config. `tell(http)` is called whenever that changes something."""

    def __init__(
        self, *, clock: Clock, handler: Handler, token_file: str, tell: Callable[[Http], None]
    ) -> None:
        self._clock = clock
        self._listener = HttpListener(clock=clock, handler=handler)
        self._token_file = token_file
        self._tell = tell
        self._config = HttpConfig(listen=())
        self._http = Http()
        self._tried_ns = 0

    async def apply(self, config: HttpConfig) -> None:
        """Listen where the config says; nothing happens when that is so already."""
        changed = config != self._config
        late = self._http.error and self._clock.steady_ns() - self._tried_ns >= AGAIN_NS
        if changed or late:
            self._config = config
            self._tried_ns = self._clock.steady_ns()
            self._listener.close()
            self._say(await self._open(config))

    def close(self) -> None:
        """Let nobody in any more, and end every connection."""
        self._listener.close()

    async def _open(self, config: HttpConfig) -> Http:
        if not config.listen:
            return Http()
        try:
            word = token.token(self._token_file)
            await self._listener.open(config.listen)
        except (PortError, UnsafeFileError) as error:
            return Http(error=str(error))
        except OSError as error:
            return Http(error=f"{self._token_file}: {error.strerror}")
        addresses = self._listener.addresses
        self._listener.check = Gate(word, _hosts(addresses), config.origins).check
        return Http(tuple(shown(address) for address in addresses))

    def _say(self, http: Http) -> None:
        if http != self._http:
            self._http = http
            self._tell(http)


def _hosts(addresses: tuple[Address, ...]) -> set[str]:
    """What a Host header may say."""
    return {host for each in addresses for host in (shown(each), f"localhost:{each[1]}")}
