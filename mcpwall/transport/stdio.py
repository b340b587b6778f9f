"""One stdio session: the four ends that a shim handed over, between two inlets and two outlets.

    agent → inlet → Live → outlet → server
    agent ← outlet ← Live ← inlet ← server

Says when each end closes. An inlet pauses while the outlet that its lines lead to is full, so a
reader that is slow slows its writer down and nobody else. The shim holds copies of all ends:
closing the server's stdin takes its help (`shut`).
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from mcpwall.engine.wire import Hello
from mcpwall.model import RequestId
from mcpwall.server_process import signal_group
from mcpwall.transport.attention import Attention
from mcpwall.transport.error_log import ErrorLog, log_path
from mcpwall.transport.errors import Errors
from mcpwall.transport.handed_over import HandedOver
from mcpwall.transport.piped import PipedAgent
from mcpwall.transport.pipes import Inlet, Outlet

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine

# from agent, to agent, to server, from server, the server's stderr, the agent's stderr, journal
ENDS: Final = 7
DRAIN_S: Final = 1.0  # from the server's exit until its pipe, held open by others, is given up
KILL_S: Final = 2.0


class StdioSession(PipedAgent):
    """A session whose server is a child of the shim; it is the engine's wire."""

    def __init__(
        self,
        engine: Engine,
        attention: Attention,
        link: socket.socket,
        handed: HandedOver,
        params: dict[str, Any],
        *,
        logs: Path,
    ) -> None:
        """Take over `link` and what was `handed` over. `logs`: where servers' stderr is kept.

        Raises ValueError or OSError for an unusable hand-over, AuditError; then nothing of it is
        in use, and the descriptors are the caller's to close.
        """
        hello = msgspec.convert(params, Hello, strict=False)
        if len(handed) != ENDS:
            raise ValueError(f"a shim hands over {ENDS} descriptors, got {len(handed)}")
        from_agent, to_agent = handed.end(writes=False), handed.end(writes=True)
        to_server, from_server = handed.end(writes=True), handed.end(writes=False)
        said, agent_stderr = handed.end(writes=False), handed.stderr()
        super().__init__(engine, attention, link, handed.journal())
        self._exit: int | None = None
        self._told = ""  # who told the server to end, other than by closing the agent's end
        self._server_ended = False
        self._to_server = Outlet(
            self._loop,
            to_server,
            self._journal.to_server,
            again=False,  # a call must not run twice
            on_full=self._pace,
            on_broken=self._server_deaf,
        )
        self._write_agent(to_agent)
        try:
            self.live = engine.open(hello, self, self._journal.state())
        except BaseException:
            self._to_server.abandon()
            self._to_agent.abandon()
            raise
        self.live.hang_up = self.bye
        path = log_path(logs, hello.server)
        log = ErrorLog(path, self._hidden, self._server_said)
        self._errors = Errors(self._loop, said, agent_stderr, log)
        self._read_agent(from_agent)
        self._from_server = Inlet(
            self._loop,
            from_server,
            self._journal.to_agent,
            on_lines=self._server_lines,
            on_long=self._server_long,
            on_end=self._server_end,
        )

    def start(self, rest: bytes) -> None:
        """Go on where an engine before this one left off, then begin; see `PipedAgent.start`."""
        self._recover()
        self._from_server.recovered()
        self._from_server.resume()
        self._begin(rest)

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

    def _leave(self, word: bytes) -> None:
        self._errors.close()  # what the server said last is the agent's before the shim goes
        super()._leave(word)

    def _no_more(self) -> None:
        self._to_server.close()
        self._say(b"shut")

    def _stop(self) -> None:
        if not self._over and self._exit is None:
            self._to_server.close()
            self._say(b"stop")

    # --- the server -----------------------------------------------------------------------------

    def _server_lines(self, lines: list[bytes]) -> None:
        self.live.from_server(lines)
        self._attention.rouse()

    def _hidden(self, line: str) -> str:
        return self._engine.mask.text(line)  # another one after each change of the config

    def _server_said(self, lines: list[str]) -> None:
        self.live.server.says(lines)
        self._engine.counts.used(self.live)

    def _server_long(self, size: int) -> None:
        self.live.server_dropped(f"dropped a line of the server that is too long ({size:,} bytes)")

    def _server_deaf(self) -> None:
        """The server closed its stdin; its exit, or its own end, says the rest."""
        self._from_agent.pause()

    def _server_end(self, rest: bytes) -> None:
        if rest.strip():
            self.live.from_server([rest])
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
        told = "the agent closed its end" if self._agent_gone else self._told
        self.live.server.life.exited(self.live.id, self._exit, told=bool(told))
        self._end(told or why, f"{why} before it answered")
        # before anything was opened, the agent has perhaps asked nothing that could be answered
        silent = told or self.live.protocol.parties.version
        word = b"end" if silent else b"bye " + why.encode()
        self._to_agent.when_empty(lambda: self._leave(word))

    # --- the shim -------------------------------------------------------------------------------

    def _obey(self, word: bytes) -> None:
        verb, _, number = word.partition(b" ")
        if verb == b"exited" and number.isdigit() and self._exit is None:
            self._exited(int(number))
        elif verb == b"stopping":
            self._told = "its shim was told to end"

    def _shim_gone(self) -> None:
        """The shim was killed: end the server in its stead."""
        if not self._over:
            self._end("the shim was killed", "")
            group = self.live.hello.server_pid
            signal_group(group, signal.SIGTERM)
            self._clock.call_later(KILL_S, lambda: signal_group(group, signal.SIGKILL))
        self._leave(b"")

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
        self._from_server.pause()
        super()._end(why, answer)

    def _close(self) -> None:
        self._from_server.close()
        self._to_server.abandon()
