"""Where a shared store is: its kind, how to reach it, how to call it without secrets. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

URL_FIX: Final = 'write for example "redis://host:6379/0" or "postgresql://host/database"'


class Kind(enum.Enum):
    """What program the store is."""

    REDIS = "redis"  # Valkey too: the same protocol
    POSTGRES = "postgres"


_SCHEMES: Final = {
    "redis": (Kind.REDIS, "redis"),
    "rediss": (Kind.REDIS, "rediss"),
    "valkey": (Kind.REDIS, "redis"),
    "valkeys": (Kind.REDIS, "rediss"),
    "postgresql": (Kind.POSTGRES, "postgresql"),
    "postgres": (Kind.POSTGRES, "postgresql"),
}
SCHEMES: Final = tuple(f"{scheme}://" for scheme in _SCHEMES)


class StoreUrlError(ValueError):
    """The URL of a store does not lead to one; str() says why, without the URL."""


@dataclass(frozen=True, slots=True)
class Address:
    """A store. `url` is for its driver alone; `name` has neither user, password nor options."""

    kind: Kind
    name: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def clean(self, text: str) -> str:
        """What a driver says, on one line and without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return " ".join(text.split())


def address(url: str) -> Address:
    """The store that a URL leads to. Raises StoreUrlError."""
    try:
        parts = urlsplit(url)
        host, port, password = parts.hostname, parts.port, parts.password
    except ValueError:
        raise StoreUrlError("is no URL") from None
    if parts.scheme not in _SCHEMES:
        raise StoreUrlError(f"must begin with one of {', '.join(SCHEMES)}")
    if not host:
        raise StoreUrlError("names no host")
    kind, scheme = _SCHEMES[parts.scheme]
    host = f"[{host}]" if ":" in host else host
    name = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"
    secrets = {url, parts.query, password or "", *parse_qs(parts.query).get("password", ())}
    secrets |= {unquote(secret) for secret in secrets}
    longest_first = sorted(filter(None, secrets), key=len, reverse=True)
    return Address(kind, name, urlunsplit((scheme, *parts[1:])), tuple(longest_first))
