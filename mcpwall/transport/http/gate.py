"""Who gets in by HTTP: the check that every request passes before anything of its body is kept.

Web pages and other users of this machine can reach a loopback port. A page is told by its Origin,
a rebound name by its Host, a stranger by the missing token; what is answered to them does not
depend on what stands behind. No header of a cross-origin permission is ever sent, nor a cookie
read. MCP specification, "Transports", security warning.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from typing import Final
from urllib.parse import quote, unquote

from mcpwall.transport.http.exchange import Request
from mcpwall.transport.http.reading import RefusedError

METHODS: Final = ("POST", "GET", "DELETE")

_ENDPOINT: Final = re.compile(r"/s/([^/]+)/mcp")
_JSON: Final = re.compile(r'application/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?', re.IGNORECASE)


class Gate:
    """Lets those in who know `token` and come to one of `hosts` ("127.0.0.1:6279").

    `origins` are the pages and programs that may say where they come from; others may not.
    """

    def __init__(self, token: str, hosts: Collection[str], origins: Collection[str] = ()) -> None:
        self._bearer = token.encode()
        self._hosts = frozenset(hosts)
        self._origins = frozenset(origins)

    def check(self, head: Request) -> None:
        """Raise RefusedError unless this request may go on. `head` has no body yet."""
        headers = head.headers
        if headers.get("host", "").lower() not in self._hosts:
            raise RefusedError(403, "the Host header names another place")
        if "origin" in headers and headers["origin"] not in self._origins:
            raise RefusedError(403, "requests of web pages are not taken")
        if not self._knows_token(headers.get("authorization", "")):
            raise RefusedError(
                401,
                "a bearer token is needed; `mcpwall url NAME` prints it",
                {"www-authenticate": "Bearer"},
            )
        if server_name(head.path) is None or head.query:
            raise RefusedError(404, "there is nothing here; `mcpwall url NAME` prints the URL")
        if head.method not in METHODS:
            raise RefusedError(
                405, f"{head.method} is not taken here", {"allow": ", ".join(METHODS)}
            )
        _check_body(head)

    def _knows_token(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            token.strip(" ").encode("latin-1"), self._bearer
        )


def _check_body(head: Request) -> None:
    headers = head.headers
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(415, "a body must not be encoded")
    if head.method == "POST":
        if not _JSON.fullmatch(headers.get("content-type", "")):
            raise RefusedError(415, "a body must be application/json, in UTF-8")
    elif headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise RefusedError(400, f"a {head.method} has no body")


def endpoint(server: str) -> str:
    """The path at which a server is served."""
    return f"/s/{quote(server, safe='')}/mcp"


def server_name(path: str) -> str | None:
    """The server that a path means, None if it means none; inverse of `endpoint`."""
    found = _ENDPOINT.fullmatch(path)
    if found is None:
        return None
    name = unquote(found[1], errors="replace")
    return name if endpoint(name) == path else None
