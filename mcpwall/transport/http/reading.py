"""Reading one HTTP request from bytes: strict, and bounded in all that a client can make long.

No I/O. llhttp (by httptools) cuts the bytes, in its strict mode; what it lets pass and two servers
could read differently is refused here: lengths said twice, codings other than chunked, trailers,
upgrades. RFC 9112, RFC 9110.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httptools
import msgspec

from mcpwall.transport.http.exchange import Request

HEAD_MAX: Final = 32 * 1024  # bytes of the request line and all headers
HEADERS_MAX: Final = 100
BODY_MAX: Final = 64 * 1024 * 1024  # as of any message

# Headers that may be given several times and mean a list then (RFC 9110, 5.3).
_LISTS: Final = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "cookie",
        "forwarded",
        "via",
        "x-forwarded-for",
    }
)
_NO_HEADERS: Final[Mapping[str, str]] = {}


class RefusedError(Exception):
    """A request that is not taken. str() is one sentence for the client: what is wrong."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


class Reader:
    """One request: `feed` it bytes, see `head` (the request without its body), then `whole`.

    `extra`: bytes came behind the request's end. They are not looked at.
    """

    def __init__(self) -> None:
        self.head: Request | None = None
        self.whole = False
        self.extra = False
        self.keeps_alive = False
        self.version = "1.1"
        self.size = 0  # bytes of the body so far
        self._parser = httptools.HttpRequestParser(self)
        self._head_size = 0
        self._url = b""
        self._headers: dict[str, str] = {}
        self._count = 0
        self._body: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take bytes. Raises RefusedError; then nothing more can be read."""
        if self.whole:
            self.extra = True
            return
        if self.head is None:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, RefusedError):
                raise error.__context__ from None
            raise
        except httptools.HttpParserUpgrade:
            raise RefusedError(400, "this connection speaks HTTP/1.1 alone") from None
        except httptools.HttpParserError as error:
            self._failed(error)
        if self.head is None and self._head_size > HEAD_MAX:
            raise _too_long()

    def _failed(self, error: httptools.HttpParserError) -> None:
        """What stands behind a whole request matters to nobody. Raises RefusedError before."""
        if not self.whole:
            raise RefusedError(400, f"this is no HTTP request: {error}") from None
        self.extra = True

    def request(self) -> Request:
        """The whole request."""
        assert self.head is not None  # noqa: S101 - `whole` was seen
        return msgspec.structs.replace(self.head, body=b"".join(self._body))

    # --- what llhttp calls ----------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins: the first, or one that does not belong here."""
        self.extra = self.whole

    def on_url(self, url: bytes) -> None:
        """The target, or a part of it."""
        if not self.whole:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if self.whole:
            return
        if self.head is not None:
            raise RefusedError(400, "headers behind the body are not taken")
        self._count += 1
        if self._count > HEADERS_MAX:
            raise RefusedError(431, f"more than {HEADERS_MAX} headers")
        key, text = name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")
        if key not in self._headers:
            self._headers[key] = text
        elif key in _LISTS:
            self._headers[key] += f", {text}"
        else:
            raise RefusedError(400, f"the header {key} is given twice")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self.whole:
            return
        if self._size_of_head() > HEAD_MAX:
            raise _too_long()
        self.version = self._parser.get_http_version()
        if self.version not in ("1.0", "1.1"):
            raise RefusedError(505, "this is HTTP/1.1")
        _check_framing(self._headers, self.version)
        path, _, query = self._url.decode("ascii").partition("?")
        if not path.startswith("/"):
            raise RefusedError(400, "the target must be a path")
        self.keeps_alive = self._parser.should_keep_alive()
        method = self._parser.get_method().decode("ascii")
        self.head = Request(method, path, query, self._headers, b"")

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        if self.whole:
            return
        self.size += len(data)
        if self.size > BODY_MAX:
            raise RefusedError(413, f"a body may have {BODY_MAX:,} bytes")
        self._body.append(data)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.whole = True

    def _size_of_head(self) -> int:
        return len(self._url) + sum(map(len, self._headers)) + sum(map(len, self._headers.values()))


def _check_framing(headers: Mapping[str, str], version: str) -> None:
    """One way to tell where the body ends, and no other protocol behind it."""
    if "upgrade" in headers:
        raise RefusedError(400, "this connection speaks HTTP/1.1 alone")
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked":
            raise RefusedError(501, "the only transfer coding here is chunked")
        if version == "1.0" or "content-length" in headers:
            raise RefusedError(400, "the end of the body is said in two ways")
    length = headers.get("content-length", "0")
    if len(length) > len(str(BODY_MAX)) or int(length) > BODY_MAX:
        raise RefusedError(413, f"a body may have {BODY_MAX:,} bytes")
    if headers.get("expect", "100-continue").lower() != "100-continue":
        raise RefusedError(417, "the only expectation here is 100-continue")


def _too_long() -> RefusedError:
    return RefusedError(431, f"the head of a request may have {HEAD_MAX:,} bytes")
