"""The token of one server: sent as long as it is good, renewed before it ends.

One renewal at a time, whatever the number of sessions and calls. Tokens are read from where
`mcpwall login` put them, and written back when they change; none is in any text of this module.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from mcpwall.store.keyrings import KeyringError
from mcpwall.store.logins import Login, Logins, LoginStoreError
from mcpwall.transport.http import aside, token_requests
from mcpwall.transport.http.credentials import Credentials, LoginNeededError
from mcpwall.transport.http.faults import ConnectionFault
from mcpwall.transport.http.token_requests import RefusedError

AGAIN_MS: Final = 10_000  # from a renewal that failed, or was of no use, to the next one

Fetch: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Awaitable[tuple[int, bytes]]]


class Tokens:
    """The token for the server `name` at `url`."""

    def __init__(
        self,
        name: str,
        url: str,
        logins: Logins,
        *,
        fetch: Fetch,
        notice: Callable[[str, str], None],
        wall_ms: Callable[[], int],
    ) -> None:
        """`fetch(method, url, headers, body)` returns status and body; raises ConnectionFault."""
        self._name = name
        self._url = url
        self._logins = logins
        self._fetch = fetch
        self._notice = notice
        self._wall_ms = wall_ms
        self._one = asyncio.Lock()
        self._login: Login | None = None
        self._unkept: tuple[str, Login] | None = None  # what could not be kept, in place of what
        self._unread: tuple[int, str] | None = None  # when the keyring gave no answer, and why
        self._renewed_ms: int | None = None  # when that was done last
        self._failed: tuple[int, str] | None = None  # when it could not be done, and why
        self._ended = ""  # the refresh token that only a new login can replace

    def look_again(self) -> None:
        """Somebody may have logged in or out: read the login anew when it is needed."""
        self._login = None

    async def current(self) -> str:
        """The token to send. Raises LoginNeededError."""
        if self._login is not None and not self._is_ending(self._login):
            return self._login.access_token
        async with self._one:
            login = self._login
            if login is None:
                login = await self._load()
            if self._is_ending(login):
                try:
                    login = await self._renewed(login)
                except LoginNeededError:
                    if self._is_over(login):
                        raise
            return login.access_token

    async def renew(self, used: str) -> bool:
        """The server refused the token `used`: whether there is another now.

        Raises LoginNeededError.
        """
        async with self._one:
            login = self._login
            if login is None or login.access_token == used:
                login = await self._load()
            if login.access_token == used:
                if self._is_recent(self._renewed_ms):
                    what = "its server takes not even a new token"
                    raise LoginNeededError(f"{what}; run `mcpwall login {self._name}`")
                await self._renewed(login)
            return True

    # --- under the lock -------------------------------------------------------------------------

    async def _load(self) -> Login:
        """The login as it is kept. Raises LoginNeededError."""
        if self._unread is not None and self._is_recent(self._unread[0]):
            raise LoginNeededError(self._unread[1])
        try:
            login = await aside.ask(self._logins.load, self._name)
        except LoginStoreError as error:
            raise LoginNeededError(str(error)) from None
        except KeyringError as error:
            self._unread = self._wall_ms(), str(error)
            raise LoginNeededError(str(error)) from None
        if login is None:
            raise LoginNeededError(f"run `mcpwall login {self._name}`")
        if self._unkept is not None and login.access_token == self._unkept[0]:
            login = self._unkept[1]
        if login.url != self._url:
            raise LoginNeededError(
                f"the last was for another url; run `mcpwall login {self._name}`"
            )
        self._login = login
        return login

    async def _renewed(self, login: Login) -> Login:
        """A login with a new token, also kept. Raises LoginNeededError."""
        stored = await self._load()
        if stored.access_token != login.access_token and not self._is_ending(stored):
            return stored  # `mcpwall login` was faster
        if not stored.refresh_token or stored.refresh_token == self._ended:
            raise LoginNeededError(f"the last has ended; run `mcpwall login {self._name}`")
        if self._failed is not None and self._is_recent(self._failed[0]):
            raise LoginNeededError(self._failed[1])
        try:
            fresh = await self._ask(stored)
        except RefusedError as error:
            if error.ended:
                self._ended = stored.refresh_token
                why = f"the last was ended ({error}); run `mcpwall login {self._name}`"
            else:
                why = f"its token could not be renewed ({error}); try again later"
            self._failed = self._wall_ms(), why
            raise LoginNeededError(why) from None
        self._login, self._renewed_ms = fresh, self._wall_ms()
        await self._keep(stored, fresh)
        return fresh

    async def _keep(self, stored: Login, fresh: Login) -> None:
        try:
            await aside.ask(self._logins.save, self._name, fresh)
            self._unkept = None
        except (LoginStoreError, KeyringError) as error:
            self._unkept = stored.access_token, fresh
            self._notice("error", f"the new token of {self._name} is not kept: {error}")

    async def _ask(self, login: Login) -> Login:
        if not token_requests.is_safe(login.token_endpoint):
            raise RefusedError("its token endpoint is not reached over TLS", ended=False)
        headers, body = token_requests.refresh(login)
        try:
            status, answer = await self._fetch("POST", login.token_endpoint, headers, body)
        except ConnectionFault as error:
            raise RefusedError(error.what, ended=False) from None
        return token_requests.renewed(login, status, answer, self._wall_ms())

    def _is_recent(self, then_ms: int | None) -> bool:
        return then_ms is not None and 0 <= self._wall_ms() - then_ms < AGAIN_MS

    def _is_ending(self, login: Login) -> bool:
        return login.renew_ms is not None and self._wall_ms() >= login.renew_ms

    def _is_over(self, login: Login) -> bool:
        return login.ends_ms is not None and self._wall_ms() >= login.ends_ms


class TokenHeaders:
    """The headers of the config, and the token."""

    def __init__(self, fixed: Credentials, tokens: Tokens) -> None:
        self._fixed = fixed
        self._tokens = tokens

    async def headers(self) -> Mapping[str, str]:
        """What to send now. Raises UnresolvedError, LoginNeededError."""
        fixed = await self._fixed.headers()
        return {**fixed, "authorization": f"Bearer {await self._tokens.current()}"}

    async def refused(self, sent: Mapping[str, str]) -> bool:
        """Renew the token. Raises LoginNeededError."""
        return await self._tokens.renew(sent["authorization"].removeprefix("Bearer "))
