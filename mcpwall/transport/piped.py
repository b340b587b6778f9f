"""An agent on pipes that a shim handed over: its two ends, the session's journal, the shim's link.

What is on the other side is the session's own business: pipes to a server (`transport.stdio`) or
a server that is reached by HTTP (`transport.http.stdio_agent`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mcpwall.engine.live import Live
from mcpwall.transport.attention import Attention
from mcpwall.transport.ends import End
from mcpwall.transport.journal import Journal
from mcpwall.transport.pipes import Inlet, Outlet

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine

EOF_GRACE_S: Final = 5.0  # from the agent's end to the order to stop, while nothing is under way
EOF_PATIENCE_S: Final = 60.0  # the same while the server still works on calls


class PipedAgent(ABC):
    """A session over pipes on the agent's side; it lives until the shim is told that all is over.

    `live` is to be set by who makes it, before `_read_agent`.
    """

    live: Live

    def __init__(
        self, engine: Engine, attention: Attention, link: socket.socket, journal: Journal
    ) -> None:
        self._engine = engine
        self._attention = attention
        self._clock = engine.clock
        self._loop = asyncio.get_running_loop()
        self._link = link
        self._words = b""
        self._agent_gone = False
        self._over = False
        self.on_over: Callable[[], None] = lambda: None
        self._journal = journal
        self._recovering = not self._journal.fresh

    def _write_agent(self, end: End) -> None:
        self._to_agent = Outlet(
            self._loop,
            end,
            self._journal.to_agent,
            again=True,  # an agent drops an answer that it has, and hangs without it
            on_full=self._pace,
            on_broken=self._agent_deaf,
        )

    def _read_agent(self, end: End) -> None:
        self._from_agent = Inlet(
            self._loop,
            end,
            self._journal.to_server,
            on_lines=self._agent_lines,
            on_long=self._agent_long,
            on_end=self._agent_end,
        )

    def _recover(self) -> None:
        """Deal with what an engine before this one had read of the agent's. Raises AuditError."""
        self._from_agent.recovered()
        self._recovering = False
        self.live.resumed()

    def _begin(self, rest: bytes) -> None:
        """Read from the agent and the shim from now on. `rest`: words that came already."""
        self._from_agent.resume()
        self._loop.add_reader(self._link.fileno(), self._shim_speaks)
        self._hear(rest)

    # --- the agent ------------------------------------------------------------------------------

    def _agent_lines(self, lines: list[bytes]) -> None:
        if self._recovering:
            self.live.recovered(lines, self._journal.mark)
        else:
            self._journal.mark = self._engine.last_call
            self.live.from_client(lines)
        self._attention.rouse()

    def _agent_long(self, size: int) -> None:
        self.live.malformed(f"a message of {size} bytes is longer than the wall takes")

    def _agent_end(self, rest: bytes) -> None:
        if rest.strip():
            self.live.malformed(f"the input ends within a message ({len(rest)} bytes, no newline)")
        self._agent_gone = True
        self.live.when_judged(self._agent_finished)

    def _agent_deaf(self) -> None:
        """The agent reads no more: end as if it had closed its end, without patience."""
        self._agent_gone = True
        self._from_agent.pause()
        self._loop.call_soon(self._stop)

    def _agent_finished(self) -> None:
        """The agent has nothing more to say, and the server has it all."""
        if self._over:
            return
        self._engine.holds.withdraw_all(self.live, "the agent closed its end")
        self._no_more()
        self._clock.call_later(EOF_GRACE_S, self._stop_idle)
        self._clock.call_later(EOF_PATIENCE_S, self._stop)

    def _stop_idle(self) -> None:
        if self.live.busy:
            self._clock.call_later(EOF_GRACE_S, self._stop_idle)
        else:
            self._stop()

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
            self._obey(word)

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):
            self._link.send(word + b"\n")

    def bye(self, why: str) -> None:
        """The wall is being stopped: end the session now."""
        if not self._over:
            self._end(why, why)
        self._leave(b"bye " + why.encode())

    # --- the end --------------------------------------------------------------------------------

    def _end(self, why: str, answer: str) -> None:
        self._over = True
        self._from_agent.pause()
        self.live.end(why, answer)

    def _leave(self, word: bytes) -> None:
        if word:
            self._say(word)
        if self._link.fileno() >= 0:
            self._loop.remove_reader(self._link.fileno())
            self._link.close()
            self._from_agent.close()
            self._to_agent.abandon()
            self._close()
            self.on_over()
            # an inlet may be at work further up the stack
            self._loop.call_soon(self._journal.close)

    # --- what the other side does ---------------------------------------------------------------

    @abstractmethod
    def start(self, rest: bytes) -> None:
        """Deal with what an engine before this one left, then with what comes. `rest`: words.

        Raises AuditError when the record cannot be read.
        """

    @abstractmethod
    def _pace(self, full: bool) -> None:
        """An outlet is full, or empty again: read no faster than what is read is taken."""

    @abstractmethod
    def _no_more(self) -> None:
        """Tell the server that nothing more comes of the agent."""

    @abstractmethod
    def _stop(self) -> None:
        """Make the session end."""

    @abstractmethod
    def _obey(self, word: bytes) -> None:
        """The shim has said this."""

    @abstractmethod
    def _shim_gone(self) -> None:
        """The shim was killed."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of the server's side."""
