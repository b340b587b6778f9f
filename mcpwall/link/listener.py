"""The engine's unix socket: who may knock, and to whom each connection goes.

A connection is let in only if its process belongs to the same user. Its first line decides:
`stdio` comes from a shim and goes to the sessions, as a raw socket, with the descriptors that
came along; anything else is a control connection.

Works on any asyncio loop with `add_reader`, uvloop too: a socket belongs to this room until it is
handed over, and then no reader of it is left behind.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcpwall.link import wire
from mcpwall.link.knock import Knock
from mcpwall.link.peer import ForeignPeerError, check_peer
from mcpwall.store.files import private_dir

if TYPE_CHECKING:
    from collections.abc import Callable

_BACKLOG: Final = 256
_ACCEPTS_PER_TURN: Final = 64  # so that a flood of connections leaves the loop to others
_PAUSE_S: Final = 1.0  # after accept found no free descriptor
_NO_ROOM: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_log = logging.getLogger(__name__)


class ListenError(Exception):
    """The control socket cannot be opened; says what is wrong, where, and what to do."""


class Listener:
    """Listens on the unix socket `path` and sorts what connects.

    `on_stdio(sock, fds, params, rest)` gets a shim's non-blocking socket, the descriptors it
    passed (close-on-exec), its params, and the bytes that followed its first line.
    `on_control(sock, data)` gets a non-blocking socket and all the bytes read from it so far.
    Both own what they get; they neither block nor raise. A connection that has not said its first
    line after `first_line_s` seconds is closed. `check` raises ForeignPeerError for strangers.
    """

    def __init__(
        self,
        path: str,
        *,
        on_stdio: Callable[[socket.socket, list[int], dict[str, Any], bytes], None],
        on_control: Callable[[socket.socket, bytes], None],
        first_line_s: float = 5.0,
        check: Callable[[socket.socket], None] = check_peer,
    ) -> None:
        self._path = Path(path)
        self._on_stdio = on_stdio
        self._on_control = on_control
        self._first_line_s = first_line_s
        self._check = check
        self._knocks: set[Knock] = set()
        self._sock: socket.socket | None = None
        self._identity: tuple[int, int] | None = None

    def open(self) -> None:
        """Bind and listen, on the running loop. The caller holds the engine's lock.

        Raises ListenError; UnsafeFileError when others may reach into the socket's directory.
        """
        private_dir(str(self._path.parent))
        _clear_stale(self._path)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.bind(str(self._path))
            self._path.chmod(0o600)  # nobody else gets through the directory before this
            sock.listen(_BACKLOG)
        except OSError as error:
            sock.close()
            raise ListenError(
                f"cannot listen on {self._path}: {error.strerror or error}; set MCPWALL_HOME to a "
                f"shorter directory on a local disk"
            ) from error
        self._sock = sock
        info = self._path.lstat()
        self._identity = (info.st_dev, info.st_ino)
        asyncio.get_running_loop().add_reader(sock.fileno(), self._accept, sock)

    @property
    def reachable(self) -> bool:
        """Whether the path leads to the socket that listens, as far as can be told."""
        try:
            info = self._path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # it cannot be seen now, which says nothing about what is there
            return True
        return (info.st_dev, info.st_ino) == self._identity

    def close(self) -> None:
        """Stop listening, remove the socket, drop what has not said its first line."""
        if self._sock is None:
            return
        asyncio.get_running_loop().remove_reader(self._sock.fileno())
        self._sock.close()
        self._sock = None
        for knock in tuple(self._knocks):
            knock.drop()
        with suppress(FileNotFoundError, NotADirectoryError):
            info = self._path.lstat()
            if (info.st_dev, info.st_ino) == self._identity:  # else it is a successor's
                self._path.unlink()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTS_PER_TURN):
            try:
                sock, _ = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                self._rest(listening, error)
                return
            try:
                self._check(sock)
            except ForeignPeerError as error:
                _log.warning("refused a connection to %s: %s", self._path, error)
                sock.close()
                continue
            sock.setblocking(False)
            self._knocks.add(Knock(sock, self._first_line_s, self._sort, self._knocks.discard))

    def _rest(self, listening: socket.socket, error: OSError) -> None:
        """Accept nothing for a while: the loop would spin on a socket it cannot accept."""
        _log.warning("cannot accept connections for now: %s", error.strerror)
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening.fileno())

        def resume() -> None:
            if self._sock is listening:
                loop.add_reader(listening.fileno(), self._accept, listening)

        loop.call_later(_PAUSE_S, resume)

    def _sort(self, sock: socket.socket, fds: list[int], data: bytes) -> None:
        """Hand a connection with a whole first line to whom it belongs. Raises WireError."""
        line, _, rest = data.partition(b"\n")
        frame = wire.read_frame(line)
        if frame.method == "stdio":
            params = wire.read_value(frame.params, dict[str, Any])
            self._on_stdio(sock, fds, params, rest)
        elif fds:
            raise wire.WireError(wire.INVALID_REQUEST, "descriptors may come with stdio alone")
        else:
            self._on_control(sock, data)


def _clear_stale(path: Path) -> None:
    """Remove a socket that an engine left behind when it was killed. Raises ListenError."""
    try:
        info = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(info.st_mode):
        raise ListenError(f"{path} is in the way and no socket; move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except FileNotFoundError:
            return
        except BlockingIOError:
            pass  # its queue is full: somebody listens
    raise ListenError(f"another process listens on {path}; end it with `mcpwall stop`")
