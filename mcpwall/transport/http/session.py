"""One session of an agent that comes by HTTP.

Its requests and answers on one side, its server's end on the other, `Live` between them.

    exchange → messages → Live → server end
    exchange ← Stream   ← Live ← server end

Each POST has a `Stream`, its way back. A line that is about a request goes to that request's
stream; one that is about none goes where the server's end said it came from, else to a request
that is under way, else to the agent's listening stream. Handshake era and stateless era differ
here in what a broken connection means: in the first the agent may come back for its answers, in
the second it is the cancel (MCP 2026-07-28, Streamable HTTP, "Cancellation").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from mcpwall.engine.wire import Hello
from mcpwall.model import JsonObject, RequestId
from mcpwall.protocol import codec
from mcpwall.protocol.requests import Stage
from mcpwall.transport.http import headers
from mcpwall.transport.http.exchange import Exchange
from mcpwall.transport.http.sse import Event
from mcpwall.transport.http.stream import Stream, place

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine

KEEP_S: Final = 300.0  # how long an agent may come back for the rest of a stream
KEEP_MAX: Final = 16 * 1024 * 1024  # bytes of ended streams that are kept for it
KEEP_EACH: Final = 4 * 1024  # what a stream takes, however little it has sent
_LISTENING: Final = 0  # the number of the stream that belongs to no request


class ServerEnd(Protocol):
    """The server's side of a session."""

    numbered: bool  # the wall numbers the events of its streams; else the server does
    pid: int  # 0 for a server that is not here

    @property
    def full(self) -> bool:
        """It takes no more for now."""
        ...

    def send(self, line: bytes, about: RequestId | None) -> None:
        """Give a line; it goes out at the next flush."""
        ...

    def flush(self) -> None:
        """Send what was given."""
        ...

    def pause(self) -> None:
        """An agent takes no more for now: read less."""
        ...

    def resume(self) -> None:
        """Go on reading."""
        ...

    def listen(self, stream: Stream, last_event_id: str) -> None:
        """Fill an agent's listening stream, where events are not numbered here."""
        ...

    def gone(self, stream: Stream) -> None:
        """An agent's connection broke before its stream's end; its requests go on."""
        ...

    def close(self) -> None:
        """The session is over."""
        ...


class HttpSession:
    """A session. `on_over` is called once it is over.

    `id` is what the agent calls it (`Mcp-Session-Id`), '' in the stateless era. `idle_since_ns` is
    the steady time since which nothing has been under way, None while something is.
    """

    def __init__(
        self,
        engine: Engine,
        hello: Hello,
        connect: Callable[[HttpSession], ServerEnd],
        *,
        session_id: str,
        on_over: Callable[[HttpSession], None],
    ) -> None:
        """Connect to the server and begin. Raises what `connect` raises."""
        self.id = session_id
        self._engine = engine
        self._on_over = on_over
        self._over = False
        self._streams: dict[RequestId, Stream] = {}
        self._touched: list[Stream] = []
        self._origin: Stream | None = None  # where what is being dealt with came from
        self._posting = False  # and that is the agent
        self._event: Event | None = None  # as what it came
        self._streams_made = _LISTENING
        self._gets: list[Stream] = []  # listening streams that the server's end fills
        self._ended: deque[tuple[int, Stream]] = deque()  # with the steady time
        self._kept = 0
        self._full = 0
        self._idle_since_ns = engine.clock.steady_ns()
        self.comes_back = True  # an agent by HTTP goes on with broken streams by itself
        self._server = connect(self)
        hello.server_pid = self._server.pid
        self.live = engine.open(hello, self)
        self.live.hang_up = lambda why: self.end(why, why)
        self._listening = self._stream(None, number=_LISTENING)

    @property
    def stateless(self) -> bool:
        """Whether this is a session in name alone: the era without a handshake."""
        return not self.id

    @property
    def idle_since_ns(self) -> int | None:
        """Since when nothing is under way, by the steady clock; None while something is."""
        self._gets = [stream for stream in self._gets if stream.attached]
        busy = self._streams or self._listening.attached or self._gets
        return None if busy else self._idle_since_ns

    def takes(self, request_id: RequestId, token: Any) -> bool:
        """Whether a request with this id and progress token can be told from those under way."""
        told = self.live.protocol
        return not (self._over or told.requests.is_used(request_id) or told.token_in_use(token))

    # --- what the agent sends -------------------------------------------------------------------

    def post(self, exchange: Exchange, messages: list[JsonObject], *, batch: bool) -> None:
        """Take the messages of a POST."""
        if self._server.full:
            exchange.reply(503, {"retry-after": "1"}, b"")
            return
        ids = {m.get("id") for m in messages if "method" in m and codec.is_id(m.get("id"))}
        new = {each for each in ids if codec.is_id(each) and each not in self._streams}
        number = self._streams_made = self._streams_made + 1
        stream = self._stream(exchange, ids=new, batch=batch, number=number)
        if self.id and not self.live.protocol.parties.version:
            stream.headers["mcp-session-id"] = self.id
        self._streams.update(dict.fromkeys(new, stream))
        self._origin, self._posting = stream, True
        try:
            self.live.take(messages, batch=batch)
        finally:
            self._origin, self._posting = None, False
        for message in messages:
            params = message.get("params")
            if message.get("method") == "notifications/cancelled" and isinstance(params, dict):
                self._settle(params.get("requestId"))
        if not new and not stream.over and not stream.acks:
            stream.accepted()

    def get(self, exchange: Exchange) -> None:
        """Open a stream for what belongs to no request, or go on with one that broke."""
        last_event_id = exchange.request.headers.get("last-event-id", "")
        if not self._server.numbered:
            stream = self._stream(exchange)
            self._gets.append(stream)
            self._server.listen(stream, last_event_id)
            return
        at = place(last_event_id)
        if at is None:
            self._listening.come_back(exchange, None)
            return
        number, event = at
        kept = (stream for _, stream in self._ended)
        for stream in (self._listening, *self._streams.values(), *kept):
            if stream.number == number and (stream.begun or stream.listens):
                stream.come_back(exchange, event)
                return
        exchange.reply(404, {}, b"")

    def end(self, why: str, answer: str = "") -> None:
        """The session is over. With `answer`, requests under way are told so."""
        if self._over:
            return
        self._over = True
        self.live.end(why, answer)
        for stream in {*self._streams.values(), self._listening}:
            stream.flush(over=True)
        self._streams.clear()
        self._server.close()
        self._on_over(self)

    # --- what the server sends ------------------------------------------------------------------

    def from_server(
        self, lines: list[bytes], origin: Stream | None = None, event: Event | None = None
    ) -> None:
        """Take lines of the server's. `origin`: the stream that they came for, if that is known."""
        if self._over:
            return
        self._origin, self._event = origin, event
        try:
            self.live.from_server(lines)
        finally:
            self._origin = self._event = None

    @property
    def origin(self) -> Stream | None:
        """The way back of what the agent is saying just now."""
        return self._origin if self._posting else None

    def stream(self, about: RequestId | None) -> Stream | None:
        """The way back of a request that is under way."""
        return None if about is None else self._streams.get(about)

    def cut(self, stream: Stream) -> None:
        """End a stream before its answer: the agent comes back for that to the server."""
        stream.end()
        self._forget(stream)

    # --- the engine's wire ----------------------------------------------------------------------

    def to_server(self, line: bytes, about: RequestId | None) -> None:
        """Give a line for the server."""
        self._server.send(line, about)

    def to_client(self, line: bytes, about: RequestId | None) -> None:
        """Give a line for the agent: find its way back."""
        stream = self._streams.get(about) if about is not None else None
        if stream is None:
            stream = self._origin
        if stream is None and about is None:
            stream = self._any()
        if stream is None:
            return  # nobody waits for it any more
        event, self._event = self._event, None
        stream.send(line, event)
        if not stream.listens and not stream.begun:
            stream.status = headers.status(line, stateless=self.stateless, default=stream.status)
        self._touched.append(stream)

    def flush(self) -> None:
        """Send what was given; a stream whose requests are all answered ends."""
        self._server.flush()
        touched, self._touched = self._touched, []
        for stream in touched:
            self._flush(stream)

    def waits(self, about: RequestId) -> None:
        """A request waits for a person: its stream begins at once."""
        if (stream := self._streams.get(about)) is not None:
            stream.begin()

    def when_safe(self, callback: Callable[[], None]) -> None:
        """A session by HTTP does not outlive its engine."""
        callback()

    def remember(self, memory: bytes) -> None:
        """A session by HTTP does not outlive its engine."""

    # --- streams --------------------------------------------------------------------------------

    def _stream(
        self,
        exchange: Exchange | None,
        *,
        ids: set[RequestId] | None = None,
        batch: bool = False,
        number: int | None = None,
    ) -> Stream:
        numbered = self._server.numbered and not self.stateless
        version = self.live.protocol.parties.version
        return Stream(
            self._engine.clock,
            exchange,
            ids=ids,
            batch=batch,
            number=number if numbered else None,
            primed=version >= headers.PRIMED_VERSION and number != _LISTENING,
            on_gone=self._gone,
            on_full=self._pace,
        )

    def _any(self) -> Stream | None:
        """A way to the agent for what is about no request."""
        for request_id, stream in reversed(self._streams.items()):
            request = self.live.protocol.requests.get(request_id)
            if request is not None and request.method != "subscriptions/listen":
                return stream
        if self.stateless:
            return None
        if self._server.numbered:
            return self._listening
        return next((stream for stream in reversed(self._gets) if stream.attached), None)

    def _flush(self, stream: Stream) -> None:
        under_way = self.live.protocol.requests
        over = bool(stream.ids) and not any(each in under_way for each in stream.ids)
        over = over or not (stream.ids or stream.listens)  # notifications that were refused
        stream.flush(over=over)
        if over:
            self._forget(stream)

    def _settle(self, request_id: RequestId | None) -> None:
        """A request was cancelled: its stream ends, unless it answers others."""
        stream = self._streams.get(request_id) if codec.is_id(request_id) else None
        if stream is not None:
            self._flush(stream)

    def _forget(self, stream: Stream) -> None:
        for request_id in stream.ids:
            if self._streams.get(request_id) is stream:
                del self._streams[request_id]
        now = self._idle_since_ns = self._engine.clock.steady_ns()
        if stream.headers and not self.live.protocol.parties.version:
            self._engine.clock.call_later(0, lambda: self.end("it could not be opened"))
        if stream.begun and stream.number is not None:
            self._ended.append((now, stream))
            self._kept += KEEP_EACH + stream.size
        while self._ended and (
            self._kept > KEEP_MAX or now - self._ended[0][0] > KEEP_S * 1_000_000_000
        ):
            self._kept -= KEEP_EACH + self._ended.popleft()[1].size

    def _gone(self, stream: Stream) -> None:
        """The agent's connection broke, or it closed it."""
        self._idle_since_ns = self._engine.clock.steady_ns()
        for request_id in stream.ids:
            request = self.live.protocol.requests.get(request_id)
            if request is None:
                continue
            if self.stateless or request.stage is not Stage.FORWARDED:
                self.live.take([_cancelled(request_id)])
                self._settle(request_id)
        self._server.gone(stream)
        if not self._server.numbered:
            self._forget(stream)

    def _pace(self, full: bool) -> None:
        self._full += 1 if full else -1
        if self._full == 1 and full:
            self._server.pause()
        elif self._full == 0:
            self._server.resume()


def _cancelled(request_id: RequestId) -> JsonObject:
    """What an agent says on stdio where on HTTP it closes the connection."""
    params = {"requestId": request_id, "reason": "the agent closed the connection"}
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
