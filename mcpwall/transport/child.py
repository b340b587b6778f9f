"""A stdio server that the engine itself has started, for agents that come by HTTP.

It runs in a process group of its own and ends as under a shim: its stdin is closed, then the
group gets SIGTERM, then SIGKILL. If the engine is killed, the server sees its stdin end. What is
started stands in config.toml; nothing that a request says reaches a command line.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Final

from mcpwall.engine.clock import Clock
from mcpwall.server_process import group_lives, signal_group
from mcpwall.store.schema import ServerConfig
from mcpwall.transport.ends import open_end
from mcpwall.transport.error_log import ErrorLog
from mcpwall.transport.errors import Errors
from mcpwall.transport.journal import Journal
from mcpwall.transport.pipes import Inlet, Outlet

EOF_GRACE_S: Final = 5.0  # from the end of its stdin to SIGTERM
TERM_S: Final = 2.0  # from SIGTERM to SIGKILL
DRAIN_S: Final = 1.0  # from its exit until its stdout, held open by others, is given up
_NO_FILE: Final = -1  # memory of this process alone: nobody takes over an engine's own children


class Child:
    """A running server. `on_lines` gets its lines, `on_long` the size of one that was too long.

    `on_over(why)` is called once: the server is gone, and all that it said was handed over.
    """

    def __init__(
        self,
        clock: Clock,
        config: ServerConfig,
        error_log: ErrorLog,
        *,
        on_lines: Callable[[list[bytes]], None],
        on_long: Callable[[int], None],
        on_over: Callable[[str], None],
    ) -> None:
        """Start it. Raises OSError."""
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._on_lines = on_lines
        self._on_over = on_over
        self.exit: int | None = None  # what it exited with, 128 + N for signal N
        self._drained = False
        self._over = False
        self.ended = asyncio.Event()  # nothing of its group is left to be waited for
        self.on_ended: Callable[[], None] = lambda: None
        self._process, stdin, stdout, stderr = _start(config)
        self.pid = self._process.pid
        said = open_end(stderr, writes=False)
        self._errors = Errors(self._loop, said, None, error_log)
        self._journal = Journal(_NO_FILE)
        self._out = Outlet(
            self._loop,
            open_end(stdin, writes=True),
            self._journal.to_server,
            again=False,
            on_full=lambda _: None,
            on_broken=lambda: None,
        )
        self._in = Inlet(
            self._loop,
            open_end(stdout, writes=False),
            self._journal.to_agent,
            on_lines=on_lines,
            on_long=on_long,
            on_end=self._end_of_output,
        )
        self._in.resume()
        threading.Thread(target=self._wait, name="mcpwall-child", daemon=True).start()

    @property
    def full(self) -> bool:
        """It does not read what it was sent."""
        return self._out.full

    def send(self, line: bytes) -> None:
        """Give it a line, without its end; it goes out at the next flush."""
        self._out.send(line)

    def flush(self) -> None:
        """Send what was given."""
        self._out.flush()

    def pause(self) -> None:
        """Read no more of it for now."""
        self._in.pause()

    def resume(self) -> None:
        """Go on reading."""
        if not self._over:
            self._in.resume()

    def stop(self, grace_s: float = EOF_GRACE_S) -> None:
        """Make it end: it is told by the end of its stdin, then by signals to its group."""
        self._out.close()
        self._clock.call_later(grace_s, lambda: self._signal(signal.SIGTERM))
        self._clock.call_later(grace_s + TERM_S, lambda: self._signal(signal.SIGKILL))

    # --- its end --------------------------------------------------------------------------------

    def _wait(self) -> None:
        code = self._process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: so is the engine
            self._loop.call_soon_threadsafe(self._exited, code)

    def _exited(self, code: int) -> None:
        self.exit = code if code >= 0 else 128 - code
        if group_lives(self.pid):  # what it has left behind
            self._signal(signal.SIGTERM)
            self._clock.call_later(TERM_S, self._leave_nothing)
        else:
            self._nothing_left()
        if self._drained:
            self._finish()
        else:
            self._clock.call_later(DRAIN_S, self._finish)

    def _leave_nothing(self) -> None:
        self._signal(signal.SIGKILL)
        self._nothing_left()

    def _nothing_left(self) -> None:
        self.ended.set()
        self.on_ended()

    def _end_of_output(self, rest: bytes) -> None:
        if rest.strip():
            self._on_lines([rest])
        self._drained = True
        if self.exit is None:
            self.stop(DRAIN_S)
        else:
            self._finish()

    def _finish(self) -> None:
        if self._over:
            return
        self._over = True
        self._in.close()
        self._out.abandon()
        self._on_over(f"the server exited with code {self.exit}")
        self._loop.call_soon(self._journal.close)  # an inlet may be at work further up the stack

    def _signal(self, number: signal.Signals) -> None:
        if not self.ended.is_set():
            signal_group(self.pid, number)


def directory(config: ServerConfig) -> str:
    """Where a server runs that no agent's directory is known for: as configured, else at home."""
    return os.path.expanduser(config.cwd or "~")  # noqa: PTH111 - a text, as Popen takes it


def _start(config: ServerConfig) -> tuple[subprocess.Popen[bytes], int, int, int]:
    """The process, and our ends of its stdin, stdout and stderr. Raises OSError."""
    ours: list[int] = []
    theirs: list[int] = []
    try:
        for writes in (True, False, False):
            readable, writable = os.pipe()
            ours.append(writable if writes else readable)
            theirs.append(readable if writes else writable)
        process = subprocess.Popen(
            config.command,
            stdin=theirs[0],
            stdout=theirs[1],
            stderr=theirs[2],
            env={**os.environ, **config.env},
            cwd=directory(config),
            process_group=0,
        )
    except OSError:
        for fd in ours:
            os.close(fd)
        raise
    finally:
        for fd in theirs:
            os.close(fd)
    return process, ours[0], ours[1], ours[2]
