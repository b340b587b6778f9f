"""A connection that has not said its first line: read with recvmsg, for descriptors may come along.

Bounded in bytes, descriptors and time. Descriptors are close-on-exec, and closed with the
connection unless somebody takes both over. Works on any asyncio loop with `add_reader`.
"""

from __future__ import annotations

import array
import asyncio
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from mcpwall.link import wire

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_LINE_MAX: Final = 64 * 1024  # bytes
DESCRIPTORS_MAX: Final = 8
_INT_SIZE: Final = array.array("i").itemsize
_CLOSE_ON_EXEC: Final = getattr(socket, "MSG_CMSG_CLOEXEC", 0)  # macOS has none


class Knock:
    """Waits for the first line of `sock`, at most `first_line_s` seconds, on the running loop.

    `sort(sock, fds, data)` takes the socket, the descriptors and all bytes read so far, the
    first line whole; from then on they are its own, unless it raises WireError, which is told to
    the peer. `gone(knock)` is called once this is over, however it ended.
    """

    def __init__(
        self,
        sock: socket.socket,
        first_line_s: float,
        sort: Callable[[socket.socket, list[int], bytes], None],
        gone: Callable[[Knock], None],
    ) -> None:
        self._sock = sock
        self._sort = sort
        self._gone = gone
        self._data = b""
        self._fds: list[int] = []
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(first_line_s, self.drop)
        self._loop.add_reader(sock.fileno(), self._read)

    def drop(self) -> None:
        """Close it, and all that came with it."""
        self._let_go()
        for fd in self._fds:
            os.close(fd)
        self._sock.close()

    def _let_go(self) -> None:
        self._timer.cancel()
        self._loop.remove_reader(self._sock.fileno())
        self._gone(self)

    def _read(self) -> None:
        try:
            more = self._receive()
        except BlockingIOError:
            return
        except (OSError, wire.WireError) as error:
            self._refuse(error)
            return
        if not more:
            self.drop()
            return
        self._data += more
        if b"\n" not in self._data:
            if len(self._data) >= FIRST_LINE_MAX:
                self._refuse(wire.WireError(wire.INVALID_REQUEST, "the first line is too long"))
            return
        self._let_go()
        try:
            self._sort(self._sock, self._fds, self._data)
        except wire.WireError as error:
            self._refuse(error)

    def _receive(self) -> bytes:
        """The next bytes; descriptors that come along are kept. Raises OSError, WireError."""
        data, ancillary, flags, _ = self._sock.recvmsg(
            FIRST_LINE_MAX - len(self._data),
            socket.CMSG_SPACE(DESCRIPTORS_MAX * _INT_SIZE),
            _CLOSE_ON_EXEC,
        )
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                whole = len(content) - len(content) % _INT_SIZE
                self._fds.extend(array.array("i", content[:whole]))
        for fd in self._fds:
            os.set_inheritable(fd, False)
        if flags & socket.MSG_CTRUNC or len(self._fds) > DESCRIPTORS_MAX:
            text = f"at most {DESCRIPTORS_MAX} descriptors may come along"
            raise wire.WireError(wire.INVALID_REQUEST, text)
        return data

    def _refuse(self, error: Exception) -> None:
        code = error.code if isinstance(error, wire.WireError) else wire.INTERNAL_ERROR
        with suppress(OSError):
            self._sock.send(wire.fault(None, code, str(error)))
        self.drop()
