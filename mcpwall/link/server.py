"""Serves control connections from the engine's port.

Each connection is one task that reads a request, answers it, and waits until the answer is on its
way before it reads the next; a feed is pulled from the port only as fast as its client takes it.
So a client that does not read holds up itself alone, at the cost of one answer in memory: the
port drops what such a feed misses and says so with a gap.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from mcpwall import __version__
from mcpwall.engine.port import Command, EngineGoneError, EnginePort, Reply, Stop
from mcpwall.engine.port_calls import Details, Older
from mcpwall.engine.port_rules import Preview
from mcpwall.link import wire

if TYPE_CHECKING:
    import socket

CLIENTS_MAX: Final = 64  # control connections at a time
_CLI_COMMANDS: Final = (Preview, Details, Older, Stop)

_log = logging.getLogger(__name__)


class Server:
    """Serves `port` to control connections, at most CLIENTS_MAX at a time."""

    def __init__(self, port: EnginePort) -> None:
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, sock: socket.socket, data: bytes) -> None:
        """Serve an accepted non-blocking connection from which `data` has been read already."""
        if len(self._tasks) >= CLIENTS_MAX:
            with suppress(OSError):
                text = f"{CLIENTS_MAX} clients are attached already; close one of them"
                sock.send(wire.fault(None, wire.NO_ROOM, text))
            sock.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(sock, data))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End every connection; answers that were written still go out."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, sock: socket.socket, data: bytes) -> None:
        reader = asyncio.StreamReader(limit=wire.REQUEST_MAX)
        reader.feed_data(data)
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(reader), sock
        )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await _Connection(self._port, reader, writer).serve()
        except ConnectionError:
            pass  # the client went away in the middle of something
        finally:
            writer.close()


class _Connection:
    """One client: its hello, then its requests one after the other, or a feed to the end."""

    def __init__(
        self, port: EnginePort, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._port = port
        self._reader = reader
        self._writer = writer
        self._number: int | None = None  # of the request in hand

    async def serve(self) -> None:
        """Serve until the client goes or something goes wrong, which it is told.

        Raises ConnectionError when the client went away in the middle of something.
        """
        try:
            await self._converse()
        except wire.WireError as error:
            await self._write(wire.fault(self._number, error.code, str(error)))
        except EngineGoneError as error:
            await self._write(wire.fault(self._number, wire.ENGINE_ENDS, str(error)))
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - the client is told, the log has the rest
            _log.exception("a control connection failed")
            text = f"{type(error).__name__} in the engine; its log has more"
            await self._write(wire.fault(self._number, wire.INTERNAL_ERROR, text))

    async def _converse(self) -> None:
        if (frame := await self._request()) is None:
            return
        if frame.method != "hello":
            raise wire.WireError(wire.INVALID_REQUEST, "the first request must be hello")
        hello: wire.Hello = wire.read_value(frame.params, wire.Hello)
        await self._answer(wire.Welcome(__version__, os.getpid()))
        while frame := await self._request():
            if hello.version != __version__ and not wire.is_stop(frame):
                text = wire.other_version(__version__, hello.version)
                raise wire.WireError(wire.OTHER_VERSION, text)
            match frame.method:
                case "snapshot":
                    await self._answer(await self._port.snapshot())
                case "send":
                    await self._answer(await self._send(frame, hello.role))
                case "feed":
                    follow: wire.Follow = wire.read_value(frame.params, wire.Follow)
                    await self._answer(follow)
                    await self._feed(follow.after)
                    return
                case unknown:
                    raise wire.WireError(wire.METHOD_NOT_FOUND, f"there is no method {unknown!r}")

    async def _send(self, frame: wire.Frame, role: wire.Role) -> Reply:
        command: Command = wire.read_value(frame.params, Command)
        if role == "cli" and not isinstance(command, _CLI_COMMANDS):
            text = "the command line may look, and stop the engine; decide and edit in the app"
            raise wire.WireError(wire.NOT_FOR_ROLE, text)
        return await self._port.send(command)

    async def _feed(self, after: int) -> None:
        """Send batches until the client closes; it has nothing more to say."""
        pump = asyncio.ensure_future(self._pump(after))
        closed = asyncio.ensure_future(self._reader.read(1))
        try:
            await asyncio.wait((pump, closed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pump, closed):
                task.cancel()
            results = await asyncio.gather(pump, closed, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _pump(self, after: int) -> None:
        async for batch in self._port.feed(after):
            await self._write(wire.notification("batch", batch))

    async def _request(self) -> wire.Frame | None:
        """The next request; None when the client has gone. Raises WireError."""
        self._number = None
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return None
        except asyncio.LimitOverrunError as error:
            text = f"a request may have {wire.REQUEST_MAX} bytes"
            raise wire.WireError(wire.INVALID_REQUEST, text) from error
        frame = wire.read_frame(line)
        if frame.id is None or not frame.method:
            raise wire.WireError(wire.INVALID_REQUEST, "a request has an id and a method")
        self._number = frame.id
        return frame

    async def _answer(self, value: Any) -> None:
        await self._write(wire.answer(self._number, value))

    async def _write(self, line: bytes) -> None:
        if self._writer.is_closing():  # uvloop's own error for this is no ConnectionError
            raise ConnectionResetError
        self._writer.write(line)
        await self._writer.drain()
