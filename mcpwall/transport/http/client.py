"""Connections to remote servers, by aiohttp. The one module that imports it, and takes its time to.

Nothing here knows of MCP. Whatever aiohttp raises comes out as `ConnectionFault`, in words.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

from mcpwall import __version__
from mcpwall.transport.http.faults import ConnectionFault

CONNECT_S: Final = 15.0
FETCH_MAX: Final = 1024 * 1024  # bytes of a short answer
FETCH_S: Final = 30.0  # from a request to the end of its short answer
IDLE_S: Final = 15.0  # how long a connection is kept for the next request
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 120, "TCP_KEEPALIVE": 120, "TCP_KEEPINTVL": 30}  # seconds
_HEADER_MAX: Final = 16 * 1024
_READ_AT_ONCE: Final = 256 * 1024


class Answer:
    """The answer to one request, from the end of its head on. To be closed, whole or not."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers  # whatever the case of a name
        self._response = response

    def here(self) -> bytes | None:
        """The next bytes that are here, b"" at the end; None: `read`. Raises ConnectionFault."""
        content = self._response.content
        try:
            chunk = content.read_nowait()
        except (aiohttp.ClientError, OSError) as error:
            raise _fault(error) from None
        return chunk if chunk or content.at_eof() else None

    async def read(self) -> bytes:
        """The next bytes of the body, b"" at its end. Raises ConnectionFault."""
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise _fault(error) from None

    def close(self) -> None:
        """Close the connection, or keep it for the next request if the body was read to its end."""
        self._response.close()


class Connections:
    """All connections to all remote servers. Made on the loop."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=IDLE_S, socket_factory=_socket
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            headers={"User-Agent": f"mcpwall/{__version__}", "Accept-Encoding": "identity"},
            skip_auto_headers=("Accept", "Content-Type"),
            read_bufsize=_READ_AT_ONCE,
            max_line_size=_HEADER_MAX,
            max_field_size=_HEADER_MAX,
            trust_env=False,  # neither a netrc nor a proxy that somebody else's environment names
        )

    async def open(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        """Send a request and wait for the head of its answer; redirects are not followed.

        Raises ConnectionFault.
        """
        target = URL(url, encoded=True)
        try:
            response = await self._session.request(
                method, target, headers=headers, data=body, allow_redirects=False
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _fault(error) from None
        return Answer(response)

    async def fetch(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Status and body of a short answer, such as one to a token request.

        Raises ConnectionFault, also when it takes too long or is too large.
        """
        try:
            async with asyncio.timeout(FETCH_S):
                answer = await self.open(method, url, headers, body)
                try:
                    data = b""
                    while chunk := await answer.read():
                        data += chunk
                        if len(data) > FETCH_MAX:
                            raise ConnectionFault("its answer is too long", connected=True)
                    return answer.status, data
                finally:
                    answer.close()
        except TimeoutError:
            raise ConnectionFault(f"no answer in {FETCH_S:g} s", connected=True) from None

    def redirected(self, url: str, location: str) -> tuple[str, str]:
        """Where a redirect leads: its URL ("" if it is of another origin), and its origin.

        Origins are compared as they are connected to: by the same parser.
        """
        try:
            here = URL(url, encoded=True)
            there = here.join(URL(location)).with_fragment(None)
            origin = there.origin()
        except ValueError:
            return "", ""
        if there.scheme not in ("http", "https") or there.raw_user is not None:
            return "", ""
        return str(there) if origin == here.origin() else "", str(origin)

    async def close(self) -> None:
        """Close all of them."""
        await self._session.close()


def _socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket that notices in some minutes that the other side is gone, however quiet it is."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in _KEEPALIVE.items():
        if hasattr(socket, option):  # not on every platform
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return made


def _fault(error: aiohttp.ClientError | OSError) -> ConnectionFault:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(error.certificate_error, "verify_message", "") or "it does not match"
            return ConnectionFault(f"its certificate is not trusted: {reason}", connected=False)
        case aiohttp.ClientConnectorDNSError():
            return ConnectionFault("no such host, or no network", connected=False)
        case aiohttp.ClientSSLError():
            # the library's name for what failed, none of the server's words
            reason = str(getattr(error.os_error, "reason", None) or "no TLS is spoken there")
            what = f"TLS failed: {reason.lower().replace('_', ' ')}"
            return ConnectionFault(what, connected=False)
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            what = os.strerror(number).lower() if number else "the connection failed"
            return ConnectionFault(what, connected=False)
        case aiohttp.ConnectionTimeoutError():
            return ConnectionFault(f"no connection in {CONNECT_S:g} s", connected=False)
        case aiohttp.ClientResponseError():
            return ConnectionFault("it does not speak HTTP as it should", connected=True)
        case aiohttp.InvalidURL():
            return ConnectionFault("its address is no URL", connected=False)
        case _:
            return ConnectionFault("it ended the connection before its answer", connected=True)
