"""One end of a pipe, socket, file or terminal that somebody handed over: read and write, no wait.

`O_NONBLOCK` belongs to the open file, not to the descriptor, and whoever gave us the end may share
it. So the flag is never set on what is not ours: pipes and terminals are opened anew through /proc,
a socket is read with MSG_DONTWAIT, a file makes nobody wait, and all else (devices, and terminals
without /proc) is pumped through a pipe by a thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import threading
from typing import Final, Protocol

WIDE: Final = 1024 * 1024  # bytes in a pipe that large messages pass: Linux gives anyone as much
_SET_PIPE_SIZE: Final = getattr(fcntl, "F_SETPIPE_SZ", None)


class End(Protocol):
    """A non-blocking end. `fileno` can be watched by the event loop."""

    fileno: int

    def read_into(self, area: memoryview) -> int | None:
        """Bytes read, 0 at the end, None when there is nothing yet. Raises OSError."""
        ...

    def read(self, size: int) -> bytes | None:
        """As `read_into`, into memory of its own: b'' at the end."""
        ...

    def widen(self) -> None:
        """Let more bytes wait in the pipe, where the system can: large messages come through it."""
        ...

    def write(self, data: memoryview) -> int:
        """Bytes taken, 0 when it takes none now. Raises OSError when nobody reads any more."""
        ...

    def close(self) -> None:
        """Let go of the descriptor."""
        ...


class _PipeEnd:
    def __init__(self, fd: int) -> None:
        self.fileno = fd
        self._wide = False

    def read_into(self, area: memoryview) -> int | None:
        try:
            return os.readv(self.fileno, [area])
        except BlockingIOError:
            return None

    def read(self, size: int) -> bytes | None:
        try:
            return os.read(self.fileno, size)
        except BlockingIOError:
            return None

    def widen(self) -> None:
        if not self._wide and _SET_PIPE_SIZE is not None:
            self._wide = True
            with contextlib.suppress(OSError):  # more than this user may have
                fcntl.fcntl(self.fileno, _SET_PIPE_SIZE, WIDE)

    def write(self, data: memoryview) -> int:
        try:
            return os.write(self.fileno, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        if self.fileno >= 0:
            os.close(self.fileno)
            self.fileno = -1


class _SocketEnd:
    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self.fileno = fd

    def read_into(self, area: memoryview) -> int | None:
        try:
            return self._socket.recv_into(area, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            return 0

    def read(self, size: int) -> bytes | None:
        try:
            return self._socket.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            return b""

    def widen(self) -> None:
        """Sockets are left as they are."""

    def write(self, data: memoryview) -> int:
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self._socket.close()
        self.fileno = -1


class _FileEnd:
    """A plain file: always ready, which a pipe with one byte in it shows to the event loop."""

    def __init__(self, fd: int, *, writes: bool) -> None:
        self._fd = fd
        self._ready = os.pipe()
        os.write(self._ready[1], b"!")
        self.fileno = self._ready[writes]

    def read_into(self, area: memoryview) -> int:
        return os.readv(self._fd, [area])

    def read(self, size: int) -> bytes:
        return os.read(self._fd, size)

    def widen(self) -> None:
        """Files take what they get."""

    def write(self, data: memoryview) -> int:
        return os.write(self._fd, data)

    def close(self) -> None:
        if self.fileno >= 0:
            for fd in (self._fd, *self._ready):
                os.close(fd)
            self.fileno = -1


def open_end(fd: int, *, writes: bool) -> End:
    """Make an end of `fd`, which it owns from now on. Raises OSError when it is not open."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISSOCK(mode):
        return _SocketEnd(fd)
    if stat.S_ISREG(mode):
        return _FileEnd(fd, writes=writes)
    if stat.S_ISFIFO(mode) or os.isatty(fd):
        own = _own(fd, writes=writes)
        if own is not None:
            return _PipeEnd(own)
    if stat.S_ISFIFO(mode):
        os.set_blocking(fd, False)
        return _PipeEnd(fd)
    return _PipeEnd(_pumped(fd, writes=writes))


def _own(fd: int, *, writes: bool) -> int | None:
    """The same pipe or terminal under an open file of its own; None without /proc."""
    flags = (os.O_WRONLY if writes else os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        own = os.open(f"/proc/self/fd/{fd}", flags)
    except OSError:
        return None
    os.close(fd)
    return own


def _pumped(fd: int, *, writes: bool) -> int:
    """A pipe that a thread fills from `fd`, or empties into it."""
    readable, writable = os.pipe()
    ours, theirs = (writable, readable) if writes else (readable, writable)
    source, target = (theirs, fd) if writes else (fd, theirs)
    os.set_blocking(ours, False)

    def pump() -> None:
        with contextlib.suppress(OSError):
            while data := os.read(source, 65536):
                view = memoryview(data)
                while view:
                    written = os.write(target, view)
                    view = view[written:]
        os.close(source)
        os.close(target)

    threading.Thread(target=pump, name="mcpwall-pump", daemon=True).start()
    return ours
