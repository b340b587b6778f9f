"""`[http]`: where agents reach the wall by URL, and which of them may say where they come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from mcpwall.store.forms import Reader, bad, kind, shown, table, text

PORT: Final = 6279  # "MCPW" on a telephone's keys
PORT_MAX: Final = 65535
OFF: Final = "off"

Address: TypeAlias = tuple[str, int]  # a loopback address and a port; 0: any that is free

_LISTEN: Final = re.compile(r"(127\.0\.0\.1|\[::1\]):(\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """Where to listen (nowhere: switched off), and which origins may say that they are one."""

    listen: tuple[Address, ...] = (("127.0.0.1", PORT),)
    origins: tuple[str, ...] = ()


def _listen(value: Any) -> tuple[Address, ...]:
    if value == OFF:
        return ()
    items = value if isinstance(value, list) else [value]
    if not items:
        raise bad("is an empty list", f'write "{OFF}" to listen nowhere')
    return tuple(_address(item) for item in items)


def _address(value: Any) -> Address:
    found = _LISTEN.fullmatch(text(value))
    if found is None or int(found[2]) > PORT_MAX:
        fix = f'write "127.0.0.1:{PORT}" or "[::1]:{PORT}"; the wall serves this machine alone'
        raise bad(f"is {shown(value)}", fix)
    return found[1].strip("[]"), int(found[2])


def _origins(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise bad(f"must be a list, not {kind(value)}", 'write ["http://localhost:3000"]')
    return tuple(_origin(item) for item in value)


def _origin(value: Any) -> str:
    """An origin as it is sent: RFC 6454, 6.1."""
    try:
        parts = urlsplit(text(value))
        exact = parts.netloc and f"{parts.scheme}://{parts.netloc}" == value and parts.port != 0
    except ValueError:
        exact = False
    if not exact or "*" in value or "@" in value or value != value.lower():
        fix = "write scheme, host and port as they are sent: http://localhost:3000"
        raise bad(f"holds {shown(value)}, which is no origin", fix)
    return str(value)


HTTP: Final[Mapping[str, Reader]] = {"listen": _listen, "origins": _origins}


def http(value: Any) -> HttpConfig:
    """Read `[http]`. Raises BadValueError."""
    return HttpConfig(**table(HTTP, "[http]")(value))


def loosened(old: HttpConfig, new: HttpConfig) -> tuple[str, ...]:
    """A sentence for each way in that `new` opens and `old` does not have."""
    ways = [] if old.listen or not new.listen else ["agents can reach the wall by URL"]
    fresh = [origin for origin in new.origins if origin not in old.origins]
    return (*ways, *(f"requests from {origin} are taken by HTTP" for origin in fresh))
