"""That a home has one engine: the lock that it holds, and that the home is still where it was.

An engine whose home was removed, or moved away, is one that nobody can reach: no app finds its
socket, so nobody sees, answers or stops anything, and what it records is in files without a name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from mcpwall import home
from mcpwall.cli.errors import CliError


class HomeGoneError(CliError):
    """The home of a running engine is no longer there."""


class HomeLock:
    """The lock of this home, held until it is closed."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def take(cls) -> Self:
        """Become the only engine of this home. Raises CliError, OSError."""
        fd = os.open(home.lock_file(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(fd, 20).decode("ascii", "replace").strip()
            os.close(fd)
            raise CliError(
                f"an engine runs already (pid {pid or 'unknown'}, {home.lock_file()}); "
                "use it, or end it with `mcpwall stop`"
            ) from None
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        return cls(fd)

    def check(self) -> None:
        """Raise HomeGoneError unless the lock's path still leads to the file that is locked."""
        path = home.lock_file()
        try:
            there = os.stat(path, follow_symlinks=False)  # noqa: PTH116 - a text, as home gives it
        except (FileNotFoundError, NotADirectoryError):
            there = None
        except OSError:  # it cannot be seen now, which says nothing about what is there
            return
        if there is None or not os.path.samestat(there, os.fstat(self._fd)):
            raise HomeGoneError(
                f"the wall has ended, since its files in {home.state_dir()} were removed or "
                "replaced; start the agent again to have another one"
            )

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Raise HomeGoneError for what fails inside, where that is why."""
        try:
            yield
        except Exception:
            self.check()
            raise

    def close(self) -> None:
        """Let go of the lock."""
        os.close(self._fd)
