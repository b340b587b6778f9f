"""Streams of a remote server that are listened to: by an agent, or here in its place.

Source: MCP 2025-11-25, Streamable HTTP, "Listening for Messages from the Server" and "Resumability
and Redelivery".
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

from mcpwall.engine.wording import DOUBT
from mcpwall.model import RequestId
from mcpwall.transport.http.remote import Fault, Sending, Trouble
from mcpwall.transport.http.resume import Resumption
from mcpwall.transport.http.sse import Event
from mcpwall.transport.http.stream import Stream

if TYPE_CHECKING:
    from mcpwall.engine.live import Live
    from mcpwall.transport.http.remote_end import RemoteEnd

CUT: Final = "the server ended its answer before it was whole"
# Told to agents as they are, where no session stands yet: they find a server's era by them.
TOLD: Final = (400, 404, 405)


class Peer(Protocol):
    """The session, as its remote end sees it."""

    live: Live
    comes_back: bool  # the agent goes on with broken streams by itself

    @property
    def origin(self) -> Stream | None:
        """The way back of what the agent is saying just now, where it comes by HTTP."""
        ...

    def stream(self, about: RequestId | None) -> Stream | None:
        """The way back of a request under way, where the agent comes by HTTP."""
        ...

    def from_server(
        self, lines: list[bytes], origin: Stream | None = None, event: Event | None = None
    ) -> None:
        """Take lines of the server's."""
        ...

    def cut(self, stream: Stream) -> None:
        """End a stream whose agent is to come back for the rest."""
        ...

    def end(self, why: str, answer: str = "") -> None:
        """The session is over."""
        ...


class Listen:
    """The server's own stream, on its way to an agent that listens; see `remote.Receiver`."""

    def __init__(self, end: RemoteEnd, peer: Peer, stream: Stream) -> None:
        self.sending: Sending | None = None
        self._end = end
        self._peer = peer
        self._stream = stream

    def started(self, status: int, sent: Any, stream: bool) -> None:  # noqa: ARG002 - as Receiver
        """It begins."""
        self._stream.begin()

    def event(self, event: Event) -> None:
        """A message, or an event that carries none."""
        if event.data:
            self._peer.from_server([one_line(event.data)], self._stream, event)
        else:
            self._stream.pass_on(event)

    def ended(self, fault: Fault | None) -> None:
        """It is over, or was never to be had."""
        self._end.heard(self._stream)
        gone = fault is not None and fault.trouble is Trouble.GONE and self._end.session_id
        if self._stream.begun:
            self._stream.end()
        elif fault is None:
            self._stream.refuse(HTTPStatus.BAD_GATEWAY)
        else:
            known = fault.status in TOLD
            self._stream.refuse(fault.status if known else HTTPStatus.BAD_GATEWAY)
        if gone:
            self._end.session_gone()


class Ear:
    """Listens to the server for an agent that cannot: for its own stream, or for an answer's rest.

    It comes back after each end until there is nothing more to wait for; see `remote.Receiver`.
    """

    def __init__(
        self,
        end: RemoteEnd,
        peer: Peer,
        resumption: Resumption,
        request_id: RequestId | None = None,
    ) -> None:
        """`request_id`: the request whose answer is waited for, None for the server's own."""
        self._end = end
        self._peer = peer
        self._resumption = resumption
        self._id = request_id

    def listen(self) -> None:
        """Open the stream, if it is still wanted."""
        if self._wanted():
            self._end.hear(self, self._resumption.headers())

    def later(self) -> None:
        """Open it when the server wants to be asked again."""
        self._end.clock.call_later(self._resumption.ended(), self.listen)

    def started(self, status: int, sent: Any, stream: bool) -> None:
        """It begins."""

    def event(self, event: Event) -> None:
        """A message, or an event that carries none."""
        self._resumption.saw(event)
        if event.data:
            self._peer.from_server([one_line(event.data)])

    def ended(self, fault: Fault | None) -> None:
        """It is over, or was never to be had."""
        self._end.unheard(self)
        if not self._wanted():
            return
        if fault is not None and fault.trouble is Trouble.GONE and self._end.session_id:
            self._end.session_gone()
            if self._id is None:
                self.later()
            else:
                self._peer.live.unanswered(self._id, f"{CUT}; {DOUBT}")
        elif fault is None or fault.trouble in _PASSING:
            self.later()
        elif self._id is not None:
            self._peer.live.unanswered(self._id, f"{CUT}; {DOUBT}")

    def _wanted(self) -> bool:
        if self._end.over:
            return False
        return self._id is None or self._peer.live.protocol.awaits(self._id)


# troubles that may be over when one asks again
_PASSING: Final = frozenset(
    (Trouble.UNREACHABLE, Trouble.BUSY, Trouble.BROKEN, Trouble.SILENT, Trouble.CUT)
)


class Farewell:
    """The end of a session, told to the server; see `remote.Receiver`."""

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done

    def started(self, status: int, sent: Any, stream: bool) -> None:
        """It was heard."""

    def event(self, event: Event) -> None:
        """There is nothing to say to it."""

    def ended(self, fault: Fault | None) -> None:  # noqa: ARG002 - it was the last word anyway
        """It was said, or could not be."""
        self._done()


def one_line(data: bytes) -> bytes:
    """A message as one line: line ends of JSON stand between tokens alone (RFC 8259 section 7)."""
    return data.replace(b"\n", b" ") if b"\n" in data else data
