"""A server as the shim starts it: a process in a group of its own, on three pipes.

Standard library only. The whole group is signalled, and nothing of it is left behind.
"""

import contextlib
import os
import select
import signal
import time

TERM_S = 2.0  # from SIGTERM, or another signal that should end it, to SIGKILL


class ServerProcess:
    """A server that was started. `ends` are ours: to its stdin, from its stdout and its stderr."""

    def __init__(
        self, command: list[str], environment: dict[str, str], caught: tuple[signal.Signals, ...]
    ) -> None:
        """Start it. Signals that were `caught` here do to it what they do by default.

        Raises OSError.
        """
        self.pid, *self.ends = _spawn(command, environment, caught)
        self.exit: int | None = None  # its code, or 128 and the signal that ended it

    def reap(self) -> bool:
        """Whether it has exited just now."""
        if self.exit is not None:
            return False
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            self.exit = code if code >= 0 else 128 - code
        return bool(pid)

    def send_signal(self, number: int) -> None:
        """Send a signal to its whole group."""
        signal_group(self.pid, number)

    def close_input(self) -> None:
        """Close its stdin; a placeholder stays, so that a new engine still gets all ends."""
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(null, self.ends[0], inheritable=False)
        os.close(null)

    def finish(self) -> None:
        """Leave no process of its group behind."""
        kill_at = time.monotonic() + TERM_S
        give_up_at = kill_at + TERM_S  # dead ones that nobody has reaped still count as a group
        while group_lives(self.pid) and time.monotonic() < give_up_at:
            self.send_signal(signal.SIGTERM if time.monotonic() < kill_at else signal.SIGKILL)
            self.reap()
            select.select([], [], [], 0.01)


def signal_group(group: int, number: int) -> None:
    """Send a signal to a process group, if there still is one; never to a caller's own."""
    if group > 1:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def group_lives(group: int) -> bool:
    """Whether a process group still has a process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _spawn(
    command: list[str], environment: dict[str, str], caught: tuple[signal.Signals, ...]
) -> tuple[int, int, int, int]:
    """The new process's id, and our ends of its stdin, stdout and stderr."""
    server_in, to_server = os.pipe()
    from_server, server_out = os.pipe()
    said, server_err = os.pipe()
    theirs = (server_in, server_out, server_err)
    pid = os.posix_spawnp(
        command[0],
        command,
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(theirs)],
        setpgroup=0,
        setsigmask=(),
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, *caught],  # Python itself ignores the first two
    )
    for fd in theirs:
        os.close(fd)
    return pid, to_server, from_server, said
