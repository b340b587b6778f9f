"""Finding the engine, or starting one. Standard library only: the shim uses it.

At most one process starts an engine at a time: the start lock is held from the look for a running
engine until the new one says on a pipe that it listens, or why it can't.
"""

import errno
import fcntl
import os
import select
import socket
import sys

from mcpwall import home

_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1  # macOS: <sys/un.h>
_XUCRED = 76  # bytes: version, uid, count of groups, groups
_UCRED = 12  # Linux: pid, uid, gid
READY_S = 20.0
READY_FD = 3
_PASSED_ON = ("HOME", "PATH", "LANG", "TMPDIR", "USER", "LOGNAME", "SHELL", "TZ")
_PASSED_ON_STARTS = ("LC_", "XDG_", "MCPWALL_", "PYTHON")


class EngineStartError(Exception):
    """No engine could be reached or started; the text says why."""


def connect() -> socket.socket | None:
    """A connection to the running engine, or None when none runs. Raises EngineStartError."""
    try:
        path = home.socket_file()
    except ValueError as error:
        raise EngineStartError(str(error)) from None
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.connect(path)
    except OSError as error:
        link.close()
        if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
            return None
        raise EngineStartError(f"cannot reach the engine at {path}: {error.strerror}") from None
    if (uid := peer_uid(link)) != os.geteuid():
        link.close()
        raise EngineStartError(
            f"a process of user {uid} listens at {path}; use a directory that is yours alone"
        )
    return link


def peer_uid(sock: socket.socket) -> int:
    """The user id of the process that connected to, or listens at, the other end of `sock`.

    Raises OSError where the platform cannot tell.
    """
    if sys.platform == "darwin":
        raw = sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED)
    else:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED)
    return int.from_bytes(raw[4:8], sys.byteorder)  # behind a process id, or a version


def connect_or_start() -> socket.socket:
    """A connection to the engine, which is started if none runs. Raises EngineStartError."""
    link = connect()
    if link is not None:
        return link
    try:
        for directory in (home.config_dir(), home.state_dir()):
            os.makedirs(directory, mode=0o700, exist_ok=True)
        lock = os.open(home.start_lock_file(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EngineStartError(f"cannot write to {home.state_dir()}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        link = connect()
        if link is None:
            _start()
            link = connect()
    finally:
        os.close(lock)
    if link is None:
        raise EngineStartError(f"the engine ended at once; see {home.log_file()}")
    return link


def _start() -> None:
    """Start an engine in the background and wait until it listens. Raises EngineStartError."""
    readable, writable = os.pipe()
    log = os.open(home.log_file(), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    command = [sys.executable, "-P", "-m", "mcpwall", "engine", "--background"]
    try:
        started = os.posix_spawn(
            sys.executable,
            command,
            _environment(),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, log, 2),
                (os.POSIX_SPAWN_DUP2, writable, READY_FD),
            ],
            setsigmask=(),
        )
    except OSError as error:
        raise EngineStartError(f"cannot start {sys.executable}: {error.strerror}") from None
    finally:
        os.close(writable)
        os.close(log)
    try:
        told = b""
        while select.select([readable], [], [], READY_S)[0]:
            data = os.read(readable, 4096)
            told += data
            if not data:
                break
    finally:
        os.close(readable)
    os.waitpid(started, 0 if told == b"ready" else os.WNOHANG)  # it only begot the engine
    if told != b"ready":
        why = told.decode(errors="replace").strip() or f"see {home.log_file()}"
        raise EngineStartError(f"the engine did not start: {why}")


def _environment() -> dict[str, str]:
    """What the engine needs of the environment: it must not hold an agent's secrets."""
    return {
        key: value
        for key, value in os.environ.items()
        if key in _PASSED_ON or key.startswith(_PASSED_ON_STARTS)
    }
