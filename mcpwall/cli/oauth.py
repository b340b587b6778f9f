"""A login with OAuth, by the SDK's client. The one module that imports the SDK, in its own process.

The SDK discovers, registers, and checks PKCE, state, issuer and resource (MCP specification,
"Authorization"). Here is what it leaves open: where requests may go, which scopes are asked for,
what a person is told, and what of it is kept.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider, OAuthFlowError
from mcp.client.auth.exceptions import OAuthRegistrationError, OAuthTokenError
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

from mcpwall import __version__
from mcpwall.cli.loopback import Loopback
from mcpwall.store.logins import Login
from mcpwall.store.remotes import origin
from mcpwall.transport.http.token_requests import is_safe

PATIENCE_S: Final = 300.0  # for the person in the browser
ASKING_S: Final = 30.0  # for each request
VERSION: Final = "2025-11-25"  # of the protocol; from 2025-06-18 on the resource is always named
_PING: Final = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
_UNAUTHORIZED: Final = 401
_CODE: Final = re.compile(r"[a-z_]{1,40}")


class LoginFailedError(Exception):
    """There is no login; str() says why, without any token."""


@dataclass(frozen=True)
class Terms:
    """The server, and what its table in the config says about logging in."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    scopes: tuple[str, ...] = ()
    client_id: str = ""
    client_secret: str = field(default="", repr=False)


async def log_in(terms: Terms, loopback: Loopback, show: Callable[[str], Awaitable[None]]) -> Login:
    """Log in: `show` gets the address for the browser, `loopback` its answer.

    Raises LoginFailedError.
    """
    logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)  # its words hold what servers wrote
    flow = _Flow(terms, loopback, show)
    try:
        return await flow.run()
    except OAuthTokenError as error:
        what = "its token endpoint gives no token"
        raise LoginFailedError(f"{what}{_status_and_code(str(error))}") from None
    except OAuthRegistrationError as error:
        what = f"it registers no client{_status_and_code(str(error))}"
        raise LoginFailedError(f"{what}; ask for a client_id and put it under oauth") from None
    except OAuthFlowError as error:
        words = str(error)[:300]
        if words.startswith("State parameter mismatch"):
            words = "the browser brought the answer to another login; run it again"
        raise LoginFailedError(flow.refused or words) from None
    except httpx2.HTTPError as error:
        raise LoginFailedError(f"{flow.asked} cannot be reached ({type(error).__name__})") from None
    except ValueError as error:
        raise LoginFailedError(f"{flow.asked} answers nonsense ({type(error).__name__})") from None


class _Flow:
    """One login under way; to the SDK, the storage too."""

    def __init__(
        self, terms: Terms, loopback: Loopback, show: Callable[[str], Awaitable[None]]
    ) -> None:
        self.asked = origin(terms.url)  # who is being asked, for words
        self.refused = ""  # what the browser brought in place of a code
        self._terms = terms
        self._loopback = loopback
        self._show = show
        self._tokens: OAuthToken | None = None
        self._client: OAuthClientInformationFull | None = self._known_client()
        by_url = terms.client_id if _is_metadata_url(terms.client_id) else None
        self._provider = OAuthClientProvider(
            terms.url,
            OAuthClientMetadata.model_validate(
                {
                    "client_name": "mcpwall",
                    "redirect_uris": [loopback.url],
                    "token_endpoint_auth_method": "none",
                    "software_version": __version__,
                }
            ),
            self,
            self._to_browser,
            self._from_browser,
            client_metadata_url=by_url,
        )

    async def run(self) -> Login:
        """Ask the server for something, and log in when it says so."""
        headers = {
            **self._terms.headers,
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": VERSION,
        }
        async with httpx2.AsyncClient(
            auth=self._provider,
            timeout=ASKING_S,
            trust_env=False,  # as the engine
            verify=ssl.create_default_context(),
            event_hooks={"request": [self._before], "response": [self._after]},
        ) as client:
            ping = client.stream("POST", self._terms.url, headers=headers, json=_PING)
            async with ping as answer:
                status = answer.status_code
        if self._tokens is None:
            raise LoginFailedError(f"the server asks for none (it answers HTTP {status})")
        if status == _UNAUTHORIZED:
            raise LoginFailedError("the server does not take the token that it led to")
        return self._login(self._tokens)

    async def _before(self, request: httpx2.Request) -> None:
        url = str(request.url)
        self.asked = origin(url)
        if not is_safe(url):
            raise LoginFailedError(f"it leads to {self.asked}, which is not reached over TLS")

    async def _after(self, response: httpx2.Response) -> None:
        """Ask for the scopes of the config: the SDK asks for those that the server names here."""
        if response.status_code == _UNAUTHORIZED and self._terms.scopes:
            name, said = "WWW-Authenticate", response.headers.get("WWW-Authenticate", "Bearer")
            response.headers[name] = f'Bearer scope="{" ".join(self._terms.scopes)}", {said}'

    # --- the browser ----------------------------------------------------------------------------

    async def _to_browser(self, url: str) -> None:
        if not is_safe(url) or not url.isascii() or not url.isprintable():
            raise LoginFailedError("its page for logging in is not reached over TLS")
        metadata, client = self._provider.context.oauth_metadata, self._provider.context.client_info
        if self._terms.client_secret and metadata and client:
            methods = metadata.token_endpoint_auth_methods_supported or ["client_secret_basic"]
            basic = "client_secret_basic" in methods
            client.token_endpoint_auth_method = (
                "client_secret_basic" if basic else "client_secret_post"
            )
        await self._show(url)

    async def _from_browser(self) -> AuthorizationCodeResult:
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._loopback.answer()
        except TimeoutError:
            raise LoginFailedError(f"nobody logged in within {PATIENCE_S:g} s") from None
        if error := answer.get("error", ""):
            said = error if _CODE.fullmatch(error) else "an error without a name"
            self.refused = f"it was refused in the browser ({said})"
        code = "" if error else answer.get("code", "")
        return AuthorizationCodeResult(code=code, state=answer.get("state"), iss=answer.get("iss"))

    # --- the SDK's storage ----------------------------------------------------------------------

    async def get_tokens(self) -> OAuthToken | None:
        """None: every login starts anew."""
        return None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """The login has come to its end."""
        self._tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """The client of the config; one that is registered is registered for each login."""
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """A client was registered for this login."""
        self._client = client_info

    def _known_client(self) -> OAuthClientInformationFull | None:
        terms = self._terms
        if not terms.client_id or _is_metadata_url(terms.client_id):
            return None
        return OAuthClientInformationFull.model_validate(
            {
                "client_id": terms.client_id,
                "client_secret": terms.client_secret or None,
                "redirect_uris": [self._loopback.url],
                "token_endpoint_auth_method": "client_secret_post"
                if terms.client_secret
                else "none",
            }
        )

    # --- what is kept ---------------------------------------------------------------------------

    def _login(self, tokens: OAuthToken) -> Login:
        context = self._provider.context
        metadata, client = context.oauth_metadata, context.client_info
        if client is None:
            raise LoginFailedError("the SDK logged in without a client")
        endpoint, revocation = urljoin(origin(self._terms.url), "/token"), ""
        if metadata is not None:
            endpoint = str(metadata.token_endpoint)
            revocation = str(metadata.revocation_endpoint or "")
        named = context.should_include_resource_param(VERSION)
        login = Login(
            url=self._terms.url,
            access_token=tokens.access_token,
            token_endpoint=endpoint,
            client_id=client.client_id,
            refresh_token=tokens.refresh_token or "",
            scope=tokens.scope or "",
            resource=context.get_resource_url() if named else "",
            client_secret=client.client_secret or "",
            auth_method=client.token_endpoint_auth_method or "none",
            revocation_endpoint=revocation,
        )
        return login.lasting(tokens.expires_in, time.time_ns() // 1_000_000)


def _is_metadata_url(client_id: str) -> bool:
    """Whether a client's id is the address of its metadata, as the SDK takes one."""
    return client_id.startswith("https://") and urlsplit(client_id).path not in ("", "/")


def _status_and_code(words: str) -> str:
    """What is told of an error of the SDK's that quotes a body: HTTP status, RFC 6749 code."""
    status = re.search(r"\((\d{3})\)|: (\d{3})\b", words)
    start = words.find("{")
    try:
        code = json.loads(words[start:])["error"] if start >= 0 else ""
    except (ValueError, TypeError, KeyError):
        code = ""
    parts = [f"HTTP {status[1] or status[2]}"] if status else []
    if isinstance(code, str) and _CODE.fullmatch(code):
        parts.append(code)
    return f" ({', '.join(parts)})" if parts else ""
