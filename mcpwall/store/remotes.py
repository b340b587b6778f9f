"""`[servers.NAME]` with a `url`: a server that is reached over HTTP, and what is sent to it.

A header's value and a client's secret may be secret: they are `Secret` from the moment they are
read, and no error quotes them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from mcpwall.model import Rest, Risk
from mcpwall.store.forms import (
    BadValueError,
    Problem,
    Reader,
    bad,
    flag,
    kind,
    named,
    shown,
    table,
    text,
)
from mcpwall.store.quantities import duration
from mcpwall.store.references import Secret, names, secret

TIMEOUT_S: Final = 300.0  # the patience of the protocol's own clients
PORT_MAX: Final = 65535


@dataclass(frozen=True, slots=True)
class OAuthConfig:
    """What the wall needs to know to log in by itself. Nothing, most of the time.

    `client_id` is for servers at which one cannot register: an id that was given out before, or
    the https URL of a client's metadata. `redirect_port`: 0 for any that is free.
    """

    scopes: tuple[str, ...] = ()
    client_id: str = ""
    client_secret: Secret | None = None
    redirect_port: int = 0


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """How to reach a remote server. `timeout_s`: how long one may wait for its next byte."""

    url: str = field(repr=False)  # for some servers its path is the credential
    headers: Mapping[str, Secret] = field(default_factory=dict)
    oauth: OAuthConfig | None = None
    timeout_s: float = TIMEOUT_S
    trust_hints: bool = False  # what it says of its own tools may lower their risk
    rest: Rest | None = None  # what becomes of the tools that no rule names
    risk: Mapping[str, Risk] = field(default_factory=dict)  # classes that the person gives to tools


_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, 3.3
# What HTTP and MCP themselves say in headers; those named MCP-… too.
_ITS_OWN: Final = frozenset(
    (
        *("accept", "accept-encoding", "connection", "content-encoding", "content-length"),
        *("content-type", "expect", "host", "keep-alive", "last-event-id", "origin", "te"),
        *("trailer", "transfer-encoding", "upgrade"),
    )
)


def _url(value: Any) -> str:
    """An absolute http or https URL of one server."""
    fix = 'write a URL such as "https://mcp.example.com/mcp"'
    if not text(value).isascii() or not value.isprintable() or " " in value or "\\" in value:
        raise bad("has a character that no URL has", fix)
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise bad("is no URL", fix) from None
    if parts.scheme not in ("http", "https") or not host:
        raise bad("is no http or https URL", fix)
    if parts.username is not None or parts.password is not None:
        raise bad("holds a user name or password", "put credentials into headers or use oauth")
    if "#" in value:
        raise bad("has a fragment (#…)", "leave it out")
    return str(value)


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> str:
    """Scheme, host and port of a URL: what may be shown of it, as the rest may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _header_name(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise bad("is no name of a header")
    if value.lower() in _ITS_OWN or value.lower().startswith("mcp-"):
        raise bad("is a header that the wall sets itself", "leave it out")
    return value


def _header_value(value: Any) -> Secret:
    if not text(value) or value != value.strip() or any(not " " <= c <= "~" for c in value):
        raise bad(
            "must be printable ASCII without spaces at its ends",
            'write for example "Bearer ${env:TOKEN}"',
        )
    return secret(value)


def _scopes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise bad("must be a list of scopes", "leave the key out to ask for what the server names")
    for scope in value:
        if not _SCOPE.fullmatch(text(scope)):
            raise bad(f"holds {shown(scope)}, which is no scope", "write one scope in each string")
    return tuple(value)


def _client_id(value: Any) -> str:
    if not text(value) or any(not " " <= c <= "~" for c in value):
        raise bad("must be printable ASCII")
    return str(value)


def _port(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= PORT_MAX:
        raise bad(f"must be a port, 1 to {PORT_MAX}")
    return value


OAUTH: Final[Mapping[str, Reader]] = {
    "scopes": _scopes,
    "client_id": _client_id,
    "client_secret": secret,
    "redirect_port": _port,
}


def _oauth(value: Any) -> OAuthConfig | None:
    """`true`, or a table with what this server needs besides."""
    if isinstance(value, bool):
        return OAuthConfig() if value else None
    if not isinstance(value, dict):
        raise bad(f"must be true or a table, not {kind(value)}")
    read = table(OAUTH, "oauth")(value)
    if "client_secret" in read and "client_id" not in read:
        what, fix = "goes with a client_id", "add client_id"
        raise BadValueError(Problem(("client_secret",), what, fix, "client_secret"))
    return OAuthConfig(**read)


REMOTE: Final[Mapping[str, Reader]] = {
    "url": _url,
    "headers": named(_header_name, _header_value),
    "oauth": _oauth,
    "timeout": duration,
    "insecure": flag,
    "trust_hints": flag,
}


def remote(read: Mapping[str, Any]) -> RemoteConfig:
    """The server that these keys make, each read already. Raises BadValueError."""
    headers, oauth = read.get("headers", {}), read.get("oauth")
    if read["url"].startswith("http:") and not is_loopback(read["url"]):
        if not read.get("insecure"):
            what = "sends everything over the network as plain text"
            fix = "write https://, or add insecure = true to this table to accept that"
            raise BadValueError(Problem(("url",), what, fix, "url"))
        if oauth is not None:
            what, fix = "needs https: a token is never sent as plain text", "write https://"
            raise BadValueError(Problem(("oauth",), what, fix, "oauth"))
    small = [name.lower() for name in headers]
    if twice := sorted({name for name in small if small.count(name) > 1}):
        what = f"name {twice[0]} twice, in different letter case"
        raise BadValueError(Problem(("headers",), what, "keep one of them", "headers"))
    if oauth is not None and "authorization" in small:
        what = "have Authorization beside oauth, which sets it"
        raise BadValueError(Problem(("headers",), what, "keep one of the two", "headers"))
    trust = read.get("trust_hints", False)
    return RemoteConfig(read["url"], headers, oauth, read.get("timeout", TIMEOUT_S), trust)


def needed(config: RemoteConfig) -> frozenset[str]:
    """The environment variables that a server's headers refer to."""
    return names(config.headers.values())
