"""Where a browser ends after a login: a web server of this machine, for one answer. RFC 8252, 7.3.

It serves one page and takes one question. What is in the answer is not believed here: who asked
for it compares `state` and issuer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final, TextIO
from urllib.parse import parse_qsl, urlsplit

PATH: Final = "/callback"
_HEAD_MAX: Final = 16 * 1024
_HEAD_S: Final = 10.0
_PAGE: Final = (
    "<!doctype html><meta charset=utf-8><title>mcpwall</title>"
    "<p>mcpwall has the answer. Look at the terminal; this page can be closed."
)


class Loopback:
    """The address to end at, and the answer once it has come."""

    def __init__(self) -> None:
        self.url = ""
        self._answer: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    async def answer(self) -> dict[str, str]:
        """The parameters of the first answer; what is given twice counts as not given."""
        return await self._answer

    def take_pasted(self, terminal: TextIO) -> None:
        """Take the address that the browser ended at from a line of the terminal too."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            line = terminal.readline()
            self._take(line.strip())
            if not line or self._answer.done():
                loop.remove_reader(terminal.fileno())

        loop.add_reader(terminal.fileno(), read)
        self._answer.add_done_callback(lambda _: loop.remove_reader(terminal.fileno()))

    def _take(self, url: str) -> bool:
        """Whether this is the address of an answer."""
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        names = [name for name, _ in pairs]
        if parts.path != PATH or not {"code", "error"} & set(names):
            return False
        if not self._answer.done():
            once = {name: value for name, value in pairs if names.count(name) == 1}
            self._answer.set_result(once)
        return True

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        with contextlib.suppress(OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
            taken = method == "GET" and self._take(target)
            writer.write(_page("200 OK", _PAGE) if taken else _page("404 Not Found", ""))
            await writer.drain()
        writer.close()


def _page(status: str, text: str) -> bytes:
    lines = (
        f"HTTP/1.1 {status}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(text.encode())}",
        "Content-Security-Policy: default-src 'none'",
        "Referrer-Policy: no-referrer",
        "Cache-Control: no-store",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


@contextlib.asynccontextmanager
async def listening(port: int) -> AsyncIterator[Loopback]:
    """A web server on this machine; port 0 for any that is free. Raises OSError."""
    loopback = Loopback()
    server = await asyncio.start_server(loopback.talk, "127.0.0.1", port, limit=_HEAD_MAX)
    loopback.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PATH}"
    async with server:
        yield loopback
