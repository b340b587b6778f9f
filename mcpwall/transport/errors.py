"""A server's stderr: passed on to the agent, as it would be without the wall, and kept in a log.

Agents show it in their logs, so no byte is lost on the way: while the agent takes no more, no more
is read, and a server that says too much waits, as it would on the agent's own pipe.
"""

from __future__ import annotations

import asyncio
import os
import stat
from typing import Final

from mcpwall.transport.ends import End, open_end
from mcpwall.transport.error_log import ErrorLog

CHUNK: Final = 16 * 1024  # bytes read at once: what is said here must not delay calls
DRAIN_MAX: Final = 64  # chunks that are read at the end; a pipe holds fewer


class Errors:
    """One server's stderr. Without `to_agent` it goes to the log alone."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, said: End, to_agent: End | None, log: ErrorLog
    ) -> None:
        self._loop = loop
        self._said = said
        self._to_agent = to_agent
        self._log = log
        self._pending = b""
        self._watched = False
        loop.add_reader(said.fileno, self._readable)

    def close(self) -> None:
        """Pass on what is there already, and let go of both ends."""
        if self._said.fileno < 0:
            return
        self._loop.remove_reader(self._said.fileno)
        for _ in range(DRAIN_MAX):
            if self._pending or not self._read():
                break
        self._unwatch()
        self._said.close()
        if self._to_agent is not None:
            self._to_agent.close()
        self._log.close()

    def _readable(self) -> None:
        if self._read() == b"":
            self.close()  # nobody can say more

    def _read(self) -> bytes | None:
        """Take what is there: b'' at the end, None when there is nothing yet."""
        try:
            data = self._said.read(CHUNK)
        except OSError:
            return b""
        if data:
            self._log.take(data)
            self._pending = data
            self._pass_on()
        return data

    def _pass_on(self) -> None:
        """Give the agent what it takes now; watch for it to take more."""
        while self._pending and self._to_agent is not None:
            try:
                taken = self._to_agent.write(memoryview(self._pending))
            except OSError:
                self._deaf()
                return
            self._pending = self._pending[taken:]
            if not taken:
                self._watch()
                return
        self._pending = b""
        self._unwatch()

    def _deaf(self) -> None:
        """The agent reads no more of this: the rest goes to the log alone."""
        self._unwatch()
        self._pending = b""
        if self._to_agent is not None:
            self._to_agent.close()
            self._to_agent = None

    def _watch(self) -> None:
        if not self._watched and self._to_agent is not None:
            self._watched = True
            self._loop.remove_reader(self._said.fileno)
            self._loop.add_writer(self._to_agent.fileno, self._pass_on)

    def _unwatch(self) -> None:
        if self._watched and self._to_agent is not None:
            self._watched = False
            self._loop.remove_writer(self._to_agent.fileno)
            self._loop.add_reader(self._said.fileno, self._readable)


class _Device:
    """A device such as /dev/null, which takes all that it is given and makes nobody wait."""

    def __init__(self, fd: int) -> None:
        self.fileno = fd

    def read_into(self, area: memoryview) -> int:  # noqa: ARG002 - nothing comes back
        return 0

    def read(self, size: int) -> bytes:  # noqa: ARG002 - nothing comes back
        return b""

    def widen(self) -> None:
        """There is nothing to widen."""

    def write(self, data: memoryview) -> int:
        return os.write(self.fileno, data)

    def close(self) -> None:
        if self.fileno >= 0:
            os.close(self.fileno)
            self.fileno = -1


def stderr(fd: int) -> End:
    """The agent's stderr, which this owns from now on. Raises OSError when it is not open."""
    if stat.S_ISCHR(os.fstat(fd).st_mode) and not os.isatty(fd):
        return _Device(fd)
    return open_end(fd, writes=True)
