"""A listener with its gate on a free port, clients on raw sockets, and a handler that the test is.

async with Web() as web:
    client = await web.client()
    client.send(web.post(b"{}"))
    exchange = await web.next()
    exchange.reply(200, {}, b"{}")
    assert (await client.answer()).body == b"{}"
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from mcpwall.transport.http.exchange import Exchange
from mcpwall.transport.http.gate import Gate
from mcpwall.transport.http.listener import HttpListener, shown
from tests.engine.wall import FakeClock

TOKEN = "t0ken"


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    got: bytes = field(default=b"")

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> Response:
        """The head of the next answer."""
        line, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        headers = dict(each.split(": ", 1) for each in lines)
        assert len(headers) == len(lines)
        version, status, _ = line.split(" ", 2)
        assert version == "HTTP/1.1"
        return Response(int(status), headers, b"")

    async def answer(self) -> Response:
        """The next answer with a length."""
        response = await self.head()
        response.body = await self.reader.readexactly(int(response.headers["content-length"]))
        return response

    async def rest(self) -> bytes:
        """All until the wall closes the connection."""
        return await self.reader.read()

    def close(self) -> None:
        self.writer.close()


class Web:
    """Everything that runs behind a port."""

    def __init__(self, *, origins: tuple[str, ...] = (), **options: int) -> None:
        self.clock = FakeClock()
        self.exchanges: asyncio.Queue[Exchange] = asyncio.Queue()
        self.listener = HttpListener(clock=self.clock, handler=self.exchanges.put_nowait, **options)
        self._origins = origins
        self._clients: list[Client] = []

    async def __aenter__(self) -> Self:
        await self.listener.open([("127.0.0.1", 0)])
        (self.address,) = self.listener.addresses
        self.host = shown(self.address)
        hosts = {self.host, f"localhost:{self.address[1]}"}
        self.listener.check = Gate(TOKEN, hosts, self._origins).check
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.listener.close()
        for client in self._clients:
            client.close()
        await asyncio.gather(
            *(client.writer.wait_closed() for client in self._clients), return_exceptions=True
        )

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection(*self.address))
        self._clients.append(client)
        return client

    async def next(self) -> Exchange:
        """The next request that came through the gate."""
        return await self.exchanges.get()

    async def stays_out(self, request: bytes) -> Response:
        """How a request is refused: answered, the connection closed, nothing handed over."""
        client = await self.client()
        client.send(request)
        response = await client.answer()
        assert await client.rest() == b""
        assert self.exchanges.empty()
        return response

    def request(self, start: str, headers: dict[str, str | None], body: bytes = b"") -> bytes:
        """A request by whoever knows the token; None takes a header out."""
        usual = {"Host": self.host, "Authorization": f"Bearer {TOKEN}"}
        lines = [
            f"{name}: {value}" for name, value in (usual | headers).items() if value is not None
        ]
        return "\r\n".join([start, *lines, "\r\n"]).encode() + body

    def post(self, body: bytes = b"{}", **changed: str | None) -> bytes:
        headers: dict[str, str | None] = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }
        headers |= {name.replace("_", "-").title(): value for name, value in changed.items()}
        return self.request("POST /s/git/mcp HTTP/1.1", headers, body)
