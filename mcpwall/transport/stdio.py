"""One stdio session: the four ends that a shim handed over, between two inlets and two outlets.

    agent → inlet → Live → outlet → server
    agent ← outlet ← Live ← inlet ← server

Says when each end closes. An inlet pauses while the outlet that its lines lead to is full, so a
reader that is slow slows its writer down and nobody else. The shim holds copies of all ends:
closing the server's stdin takes its help (`shut`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from mcpwall.engine.live import Live
from mcpwall.engine.wire import Hello
from mcpwall.model import RequestId
from mcpwall.transport.attention import Attention
from mcpwall.transport.ends import open_end
from mcpwall.transport.journal import Journal
from mcpwall.transport.pipes import Inlet, Outlet

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine

ENDS: Final = 5  # from agent, to agent, to server, from server, journal
EOF_GRACE_S: Final = 5.0  # from the agent's end to the order to stop, while nothing is under way
EOF_PATIENCE_S: Final = 60.0  # the same while the server still works on calls
DRAIN_S: Final = 1.0  # from the server's exit until its pipe, held open by others, is given up
KILL_S: Final = 2.0


class StdioSession:
    """A session over pipes; it lives until the shim is told that all is over."""

    def __init__(
        self,
        engine: Engine,
        attention: Attention,
        link: socket.socket,
        fds: list[int],
        params: dict[str, Any],
    ) -> None:
        """Take over `link` and `fds`. Raises ValueError or OSError for an unusable hand-over."""
        hello = msgspec.convert(params, Hello, strict=False)
        if len(fds) != ENDS:
            raise ValueError(f"a shim hands over {ENDS} descriptors, got {len(fds)}")
        self._engine = engine
        self._attention = attention
        self._clock = engine.clock
        self._loop = asyncio.get_running_loop()
        self._link = link
        self._words = b""
        self._agent_gone = False
        self._exit: int | None = None
        self._server_ended = False
        self._over = False
        self.on_over: Callable[[], None] = lambda: None
        from_agent, to_agent, to_server, from_server, journal = fds
        self._journal = Journal(journal)
        os.close(journal)
        down, up = self._journal.to_server, self._journal.to_agent
        self._to_server = Outlet(
            self._loop,
            open_end(to_server, writes=True),
            down,
            again=False,  # a call must not run twice
            on_full=self._pace,
            on_broken=self._server_deaf,
        )
        self._to_agent = Outlet(
            self._loop,
            open_end(to_agent, writes=True),
            up,
            again=True,  # an agent drops an answer that it has, and hangs without it
            on_full=self._pace,
            on_broken=self._agent_deaf,
        )
        self._live = engine.open(hello, self, self._journal.state())
        self._live.hang_up = self.bye
        self._recovering = not self._journal.fresh
        self._from_agent = Inlet(
            self._loop,
            open_end(from_agent, writes=False),
            down,
            on_lines=self._agent_lines,
            on_long=self._agent_long,
            on_end=self._agent_end,
        )
        self._from_server = Inlet(
            self._loop,
            open_end(from_server, writes=False),
            up,
            on_lines=self._server_lines,
            on_long=self._server_long,
            on_end=self._server_end,
        )

    @property
    def live(self) -> Live:
        """The engine's side of the session."""
        return self._live

    def start(self, rest: bytes) -> None:
        """Deal with what an engine before this one left, then with what comes. `rest`: words.

        Raises AuditError when the record cannot be read.
        """
        self._from_agent.recovered()
        self._recovering = False
        self._live.resumed()
        self._from_server.recovered()
        self._from_agent.resume()
        self._from_server.resume()
        self._loop.add_reader(self._link.fileno(), self._shim_speaks)
        self._hear(rest)

    # --- the engine's wire ----------------------------------------------------------------------

    def to_server(self, line: bytes, about: RequestId | None) -> None:  # noqa: ARG002 - one way
        """Give a line for the server."""
        self._to_server.send(line)

    def to_client(self, line: bytes, about: RequestId | None) -> None:  # noqa: ARG002 - one way
        """Give a line for the agent."""
        self._to_agent.send(line)

    def flush(self) -> None:
        """Send what was given."""
        self._to_server.flush()
        self._to_agent.flush()

    def waits(self, about: RequestId) -> None:
        """Pipes show nothing but messages."""

    def when_safe(self, callback: Callable[[], None]) -> None:
        """Call back once the agent's lines would outlive this engine."""
        self._to_agent.when_safe(callback)

    def remember(self, memory: bytes) -> None:
        """Keep the session's memory for the next engine."""
        self._journal.save(memory)

    # --- the agent ------------------------------------------------------------------------------

    def _agent_lines(self, lines: list[bytes]) -> None:
        if self._recovering:
            self._live.recovered(lines, self._journal.mark)
        else:
            self._journal.mark = self._engine.last_call
            self._live.from_client(lines)
        self._attention.rouse()

    def _agent_long(self, size: int) -> None:
        self._live.malformed(f"a message of {size} bytes is longer than the wall takes")

    def _agent_end(self, rest: bytes) -> None:
        if rest.strip():
            self._live.malformed(f"the input ends within a message ({len(rest)} bytes, no newline)")
        self._agent_gone = True
        self._live.when_judged(self._pass_end_on)

    def _pass_end_on(self) -> None:
        """The agent has nothing more to say, and the server has it all."""
        if self._over:
            return
        self._engine.holds.withdraw_all(self._live, "the agent closed its end")
        self._to_server.close()
        self._say(b"shut")
        self._clock.call_later(EOF_GRACE_S, self._stop_idle)
        self._clock.call_later(EOF_PATIENCE_S, self._stop)

    def _agent_deaf(self) -> None:
        """The agent reads no more: end as if it had closed its end, without patience."""
        self._agent_gone = True
        self._from_agent.pause()
        self._loop.call_soon(self._stop)

    def _stop_idle(self) -> None:
        if self._live.busy:
            self._clock.call_later(EOF_GRACE_S, self._stop_idle)
        else:
            self._stop()

    def _stop(self) -> None:
        if not self._over and self._exit is None:
            self._to_server.close()
            self._say(b"stop")

    # --- the server -----------------------------------------------------------------------------

    def _server_lines(self, lines: list[bytes]) -> None:
        self._live.from_server(lines)
        self._attention.rouse()

    def _server_long(self, size: int) -> None:
        self._engine.notice(
            "error", f"{self._live.server.name} sent a line of {size} bytes; it was dropped"
        )

    def _server_deaf(self) -> None:
        """The server closed its stdin; its exit, or its own end, says the rest."""
        self._from_agent.pause()

    def _server_end(self, rest: bytes) -> None:
        if rest.strip():
            self._live.from_server([rest])
        self._server_ended = True
        if self._exit is None:
            self._from_agent.pause()
            self._clock.call_later(DRAIN_S, self._stop)
        else:
            self._finish()

    def _exited(self, code: int) -> None:
        self._exit = code
        if self._server_ended:
            self._finish()
        else:
            self._clock.call_later(DRAIN_S, self._finish)

    def _finish(self) -> None:
        """The server is gone and all that it said is passed on: the session is over."""
        if self._over:
            return
        why = f"the server exited with code {self._exit}"
        self._end(why, f"{why} before it answered")
        self._to_agent.when_empty(lambda: self._leave(b"end"))

    # --- the shim -------------------------------------------------------------------------------

    def _shim_speaks(self) -> None:
        try:
            data = self._link.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._hear(data)
        else:
            self._shim_gone()

    def _hear(self, data: bytes) -> None:
        *words, self._words = (self._words + data).split(b"\n")
        for word in words:
            verb, _, number = word.partition(b" ")
            if verb == b"exited" and number.isdigit() and self._exit is None:
                self._exited(int(number))

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):
            self._link.send(word + b"\n")

    def _shim_gone(self) -> None:
        """The shim was killed: end the server in its stead."""
        if not self._over:
            self._end("the shim was killed", "")
            group = self._live.hello.server_pid
            _signal_group(group, signal.SIGTERM)
            self._clock.call_later(KILL_S, lambda: _signal_group(group, signal.SIGKILL))
        self._leave(b"")

    def bye(self, why: str) -> None:
        """The wall is being stopped: end the session now."""
        if not self._over:
            self._end(why, why)
        self._leave(b"bye " + why.encode())

    # --- the end --------------------------------------------------------------------------------

    def _pace(self, full: bool) -> None:
        """Read from the agent while both sides take more, from the server while the agent does."""
        if self._over:
            return
        if full:
            self._from_agent.pause()
            if self._to_agent.full:
                self._from_server.pause()
            return
        if not self._to_agent.full:
            self._from_server.resume()
            if not self._to_server.full and not self._to_server.broken and not self._agent_gone:
                self._from_agent.resume()

    def _end(self, why: str, answer: str) -> None:
        self._over = True
        self._from_agent.pause()
        self._from_server.pause()
        self._live.end(why, answer)

    def _leave(self, word: bytes) -> None:
        if word:
            self._say(word)
        if self._link.fileno() >= 0:
            self._loop.remove_reader(self._link.fileno())
            self._link.close()
            self._from_agent.close()
            self._from_server.close()
            self._to_server.abandon()
            self._to_agent.abandon()
            self.on_over()
            # an inlet may be at work further up the stack
            self._loop.call_soon(self._journal.close)


def _signal_group(group: int, number: signal.Signals) -> None:
    if group > 1:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
