"""The HTTP server behind every variant of `benchmarks.by_url`: `http_echo.py PORT`.

It answers what `echo.py` answers, as fast as a Python process can, and reads just as much HTTP as
that takes: requests with a length, one after the other.
"""

import asyncio
import sys
from typing import cast

import msgspec
import uvloop

from benchmarks.echo import Request, answer

_decoder = msgspec.json.Decoder(Request)
_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%b\r\n%b"
_OPENED = b"mcp-session-id: 1\r\n"
_TAKEN = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
_ENDED = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_NO_STREAM = b"HTTP/1.1 405 Method Not Allowed\r\nallow: POST, DELETE\r\ncontent-length: 0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            _, found, rest = head.partition(b"content-length:")
            size = int(rest.partition(b"\r\n")[0]) if found else 0
            if len(self._data) < end + 4 + size:
                return
            body, self._data = self._data[end + 4 : end + 4 + size], self._data[end + 4 + size :]
            self._transport.write(self._reply(head, body))

    def _reply(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"get"):
            return _NO_STREAM
        if not body:
            return _ENDED
        request = _decoder.decode(body)
        said = answer(request)[:-1]
        opened = _OPENED if request.method == "initialize" else b""
        return _OK % (len(said), opened, said) if said else _TAKEN


async def main() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
