"""A session whose agent speaks over pipes and whose server is remote.

    agent → inlet → Live → POST → server
    agent ← outlet ← Live ← answers and streams ← server

The shim has no process to look after; it hands over the agent's ends and the journal, and waits.
A killed engine is replaced as for any session on pipes: the server's name for the session lies in
the journal. What was under way upstream is answered with an error that says that it may have run,
since its connection died with the engine.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from mcpwall.engine.restore import LEFT_RUNNING
from mcpwall.engine.wire import Hello
from mcpwall.model import RequestId
from mcpwall.protocol.requests import Stage
from mcpwall.transport.attention import Attention
from mcpwall.transport.handed_over import HandedOver
from mcpwall.transport.http.ears import Ear
from mcpwall.transport.http.remote_end import RemoteEnd
from mcpwall.transport.http.resume import Resumption
from mcpwall.transport.http.sse import Event
from mcpwall.transport.http.stream import Stream
from mcpwall.transport.piped import PipedAgent

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine

ENDS: Final = 3  # from agent, to agent, journal


class _Kept(msgspec.Struct):
    """What the next engine must know: the server's name for the session, and `Live`'s memory."""

    session: str
    hello: str  # what the agent said as it opened
    live: msgspec.Raw


class PipedRemote(PipedAgent):
    """The engine's wire, and what a `RemoteEnd` knows as its peer."""

    comes_back = False

    def __init__(
        self,
        engine: Engine,
        attention: Attention,
        link: socket.socket,
        handed: HandedOver,
        params: dict[str, Any],
        *,
        connect: Callable[[PipedRemote], RemoteEnd],
    ) -> None:
        """Take over `link` and what was `handed` over.

        Raises ValueError or OSError for an unusable hand-over, AuditError; then nothing of it is
        in use, and the descriptors are the caller's to close.
        """
        hello = msgspec.convert(params, Hello, strict=False)
        hello.transport = "http"
        if len(handed) != ENDS:
            raise ValueError(f"a shim without a server hands over {ENDS} descriptors")
        from_agent, to_agent = handed.end(writes=False), handed.end(writes=True)
        super().__init__(engine, attention, link, handed.journal())
        kept = _read(self._journal.state())
        self._far = connect(self)
        self._far.session_id, self._far.hello = kept.session, kept.hello.encode()
        self._far.on_opened = self._listen
        self._write_agent(to_agent)
        try:
            self.live = engine.open(hello, self, bytes(kept.live))
        except BaseException:
            self._to_agent.abandon()
            raise
        self.live.hang_up = self.bye
        self._read_agent(from_agent)

    def start(self, rest: bytes) -> None:
        """Go on where an engine before this one left off, then begin; see `PipedAgent.start`."""
        under_way = self.live.protocol.requests
        left = [each for each in under_way.values() if each.stage is Stage.FORWARDED]
        self._recover()
        for request in left:
            if under_way.get(request.id) is request:
                self.live.unanswered(request.id, LEFT_RUNNING)
        if self.live.protocol.opened and not self.live.protocol.parties.stateless:
            self._listen()
        self._begin(rest)

    def _listen(self) -> None:
        """Hear what the server says of its own accord."""
        Ear(self._far, self, Resumption()).listen()

    # --- the engine's wire ----------------------------------------------------------------------

    def to_server(self, line: bytes, about: RequestId | None) -> None:
        """Send a line to the server."""
        self._far.send(line, about)

    def to_client(self, line: bytes, about: RequestId | None) -> None:  # noqa: ARG002 - one way
        """Give a line for the agent."""
        self._to_agent.send(line)

    def flush(self) -> None:
        """Send what was given to the agent."""
        self._to_agent.flush()

    def waits(self, about: RequestId) -> None:
        """Pipes show nothing but messages."""

    def when_safe(self, callback: Callable[[], None]) -> None:
        """Call back once the agent's lines would outlive this engine."""
        self._to_agent.when_safe(callback)

    def remember(self, memory: bytes) -> None:
        """Keep the session's memory for the next engine."""
        kept = _Kept(self._far.session_id, self._far.hello.decode(), msgspec.Raw(memory))
        self._journal.save(msgspec.json.encode(kept))

    # --- what the remote end knows of it --------------------------------------------------------

    @property
    def origin(self) -> Stream | None:
        """Pipes are one way for all."""
        return None

    def stream(self, about: RequestId | None) -> Stream | None:  # noqa: ARG002 - as Peer
        """Pipes are one way for all."""
        return None

    def cut(self, stream: Stream) -> None:
        """Never asked: an agent on pipes has no streams."""

    def from_server(
        self,
        lines: list[bytes],
        origin: Stream | None = None,  # noqa: ARG002 - as Peer
        event: Event | None = None,  # noqa: ARG002 - as Peer
    ) -> None:
        """Take lines of the server's."""
        if not self._over:
            self.live.from_server(lines)
            self._attention.rouse()

    def end(self, why: str, answer: str = "") -> None:
        """The session is over."""
        if not self._over:
            self._end(why, answer)
            self._to_agent.when_empty(lambda: self._leave(b"end"))

    # --- the agent and its shim -----------------------------------------------------------------

    def _no_more(self) -> None:
        if not self.live.busy:
            self._loop.call_soon(self._stop)

    def _stop(self) -> None:
        self.end("the agent closed its end")

    def _obey(self, word: bytes) -> None:
        """A shim without a server has nothing to tell."""

    def _shim_gone(self) -> None:
        if not self._over:
            self._end("the agent has left", "")
        self._leave(b"")

    def _pace(self, full: bool) -> None:
        if full:
            self._far.pause()
        else:
            self._far.resume()

    def _close(self) -> None:
        self._far.close()


def _read(state: bytes) -> _Kept:
    try:
        return msgspec.json.decode(state, type=_Kept)
    except msgspec.MsgspecError:
        return _Kept("", "", msgspec.Raw(b""))
