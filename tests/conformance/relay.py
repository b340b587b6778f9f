"""A relay that knows the wall's token, for clients that cannot be told a header.

Everything else passes as it comes, the Host header too unless it names the relay itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from types import TracebackType
from typing import Self

HEAD_MAX = 1 << 20
_HOST = re.compile(rb"(?im)^host: *([^\r\n]*)\r\n")
_LENGTH = re.compile(rb"(?im)^content-length: *(\d+)\r\n")


class Relay:
    """Listens on 127.0.0.1 as soon as it is entered; set `target` and `header` before it is used.

    `target` is "host:port", `header` a whole header line.
    """

    def __init__(self) -> None:
        self.target = ""
        self.header = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_MAX)
        self.host = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        host, port = self.target.rsplit(":", 1)
        to_client, to_wall = writer, None
        try:
            from_wall, to_wall = await asyncio.open_connection(host, int(port))
            ways = {
                asyncio.ensure_future(self._requests(reader, to_wall)),
                asyncio.ensure_future(_pump(from_wall, to_client)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            for end in filter(None, (to_client, to_wall)):
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests with a length, one after the other."""
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            start, _, rest = head.partition(b"\r\n")
            host = _HOST.search(rest)
            if host and host[1] == self.host.encode():
                rest = rest.replace(host[1], self.target.encode(), 1)
            writer.write(b"%b\r\n%b\r\n%b%b" % (start, self.header.encode(), rest, body))
            await writer.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
