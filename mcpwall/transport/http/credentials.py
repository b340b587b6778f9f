"""What the wall says of itself to one remote server: the headers of the config, or a login's token.

Looked up when a request needs it, in a thread where that may take time. Nothing here shows a value.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Mapping
from typing import Protocol

from mcpwall.store.keyrings import KeyringError, lookup
from mcpwall.store.references import UnresolvedError
from mcpwall.store.remotes import RemoteConfig
from mcpwall.transport.http import aside


class LoginNeededError(Exception):
    """There is no token that could be sent; str() says why, and what to do."""


class Credentials(Protocol):
    """Headers for requests to one server."""

    async def headers(self) -> Mapping[str, str]:
        """What to send now. Raises UnresolvedError, LoginNeededError."""
        ...

    async def refused(self, sent: Mapping[str, str]) -> bool:
        """The server took `sent` for no credential: whether `headers` has something else now."""
        ...


class FixedHeaders:
    """The headers of the config, resolved once for a session."""

    def __init__(self, config: RemoteConfig, environment: Mapping[str, str]) -> None:
        """`environment`: what the agent's shim has of the names that `remotes.needed` says."""
        self._config = config
        self._environment = ChainMap(dict(os.environ), dict(environment))
        self._resolved: Mapping[str, str] | None = None

    async def headers(self) -> Mapping[str, str]:
        """The headers. Raises UnresolvedError, then and each time until they can be resolved."""
        if self._resolved is None:
            if any(value.entries for value in self._config.headers.values()):
                try:
                    self._resolved = await aside.ask(self._resolve)
                except KeyringError as error:
                    raise UnresolvedError(str(error)) from None
            else:
                self._resolved = self._resolve()
        return self._resolved

    def _resolve(self) -> dict[str, str]:
        headers = {}
        for name, value in self._config.headers.items():
            headers[name] = text = value.resolve(self._environment, lookup)
            if not text or text != text.strip() or any(not " " <= c <= "~" for c in text):
                raise UnresolvedError(
                    f"the value for its header {name} is empty or has characters that no header "
                    "takes; see what its references lead to"
                )
        return headers

    async def refused(self, sent: Mapping[str, str]) -> bool:  # noqa: ARG002 - see Credentials
        """Nothing else can be sent: a new session reads the references anew."""
        return False
