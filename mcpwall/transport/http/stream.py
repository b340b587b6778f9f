"""The way back to an agent: one HTTP answer, JSON if that will do, else server-sent events.

A POST that nothing but its answer comes to is answered with JSON. As soon as anything else goes
out (progress, a question of the server's, a sign of life while a person is waited for), the
answer is a stream. A numbered stream remembers what it sent, so that an agent whose connection
broke can come back for the rest (MCP 2025-11-25, Streamable HTTP, "Resumability and Redelivery").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Final

from mcpwall.engine.clock import Clock, Timer
from mcpwall.model import RequestId
from mcpwall.transport.http import sse
from mcpwall.transport.http.exchange import Exchange
from mcpwall.transport.http.sse import Event

QUIET_S: Final = 15.0  # without a byte: clients give up after 60 s of silence
LOG_MAX: Final = 8 * 1024 * 1024  # bytes of events that one stream remembers
JSON: Final = {"content-type": "application/json"}
SSE: Final = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}


class Stream:
    """One answer. `ids` are the requests that it answers; None: it is listened to, and has no end.

    With a `number` it remembers its events and numbers them; `primed`: it begins with one that
    says nothing, so that there is an id to come back to. `status` and `headers` are the answer's
    as long as it has not begun. `acks`: what must still be taken by the server before it says 202.
    `on_gone(stream)` is called when the agent has closed the connection before the end,
    `on_full(full)` when it takes no more, or does again.
    """

    def __init__(
        self,
        clock: Clock,
        exchange: Exchange | None,
        *,
        ids: Collection[RequestId] | None = None,
        batch: bool = False,
        number: int | None = None,
        primed: bool = False,
        on_gone: Callable[[Stream], None],
        on_full: Callable[[bool], None],
    ) -> None:
        self.listens = ids is None
        self.ids: Collection[RequestId] = ids or ()
        self.number = number
        self.acks = 0
        self.status: int = HTTPStatus.OK
        self.headers: dict[str, str] = {}
        self.begun = False
        self.over = False
        self.size = 0  # bytes that are remembered
        self._clock = clock
        self._exchange: Exchange | None = None
        self._batch = batch
        self._primed = primed and number is not None
        self._on_gone = on_gone
        self._on_full = on_full
        self._full = False
        self._queue: list[tuple[bytes, Event | None]] = []
        self._log: deque[tuple[int, bytes]] = deque()
        self._last = 0  # number of the last event
        self._sent = 0  # number of the last event that was written to a connection
        self._sign: Timer | None = None
        if exchange is not None:
            self._attach(exchange)

    @property
    def attached(self) -> bool:
        """Somebody reads it."""
        return self._exchange is not None

    def send(self, line: bytes, event: Event | None = None) -> None:
        """Give a message; it goes out at the next flush. `event`: as which it came, if it did."""
        self._queue.append((line, event))

    def flush(self, *, over: bool) -> None:
        """Send what was given; `over`: nothing more will come."""
        if self.over:
            self._queue.clear()
            return
        if over and not self.begun and self._queue and self._is_answer():
            self._reply()
            return
        queue, self._queue = self._queue, []
        if queue or over:
            self.begin()
        for line, event in queue:
            self._write(line, event)
        if over:
            self.end()

    def accepted(self) -> None:
        """There is nothing to answer: 202."""
        self._finish(202, {}, b"")

    def refuse(self, status: int, body: bytes = b"") -> None:
        """Answer with a status, and a JSON body if there is one; only before it has begun."""
        self._finish(status, JSON if body else {}, body)

    def begin(self) -> None:
        """Start the stream of events."""
        if self.begun or self.over:
            return
        self.begun = True
        if self._exchange is not None:
            self._exchange.start(200, {**SSE, **self.headers})
        if self._primed:
            self._write(b"", None)

    def pass_on(self, event: Event) -> None:
        """Send an event that carries no message: only an id, or a time to wait."""
        self.begin()
        if self._exchange is not None:
            self._exchange.write(sse.encode(event))

    def end(self) -> None:
        """Nothing more comes."""
        self.over = True
        exchange = self._detach()
        if exchange is not None:
            exchange.end()

    # --- an agent that comes back ---------------------------------------------------------------

    def come_back(self, exchange: Exchange, after: int | None) -> None:
        """Go on over another connection, with what came after event `after`, or was never sent."""
        before = self._detach()
        if before is not None:
            before.end()
        self._attach(exchange)
        self.begun = True
        exchange.start(200, {**SSE, **self.headers})
        after = self._sent if after is None else after
        for number, data in self._log:
            if number > after:
                exchange.write(data)
        self._sent = self._last
        if self.over:
            self.end()

    def _attach(self, exchange: Exchange) -> None:
        self._exchange = exchange
        exchange.on_gone = self._gone
        exchange.on_full = self._pace
        self._sign = self._clock.call_later(QUIET_S, self._live)

    def _detach(self) -> Exchange | None:
        """Let go of the connection, if there is one, and return it."""
        if self._sign is not None:
            self._sign.cancel()
            self._sign = None
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.on_gone = _nothing
            exchange.on_full = _ignored
        self._pace(False)
        return exchange

    def _pace(self, full: bool) -> None:
        if full is not self._full:
            self._full = full
            self._on_full(full)

    def _gone(self) -> None:
        self._detach()
        if not self.over:
            self._on_gone(self)

    # --- what goes out --------------------------------------------------------------------------

    def _is_answer(self) -> bool:
        """What is there is a whole response: one message, or one for each part of a batch."""
        parts = len(self.ids) if self._batch and self.status == HTTPStatus.OK else 1
        return len(self._queue) == parts

    def _reply(self) -> None:
        lines = [line for line, _ in self._queue]
        self._queue = []
        whole = self._batch and self.status == HTTPStatus.OK
        body = b"[" + b",".join(lines) + b"]" if whole else lines[0]
        self._finish(self.status, {**JSON, **self.headers}, body)

    def _finish(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.over = True
        exchange = self._detach()
        if exchange is not None:
            exchange.reply(status, headers, body)

    def _write(self, line: bytes, event: Event | None) -> None:
        if self.number is None:
            told = Event(line) if event is None else Event(line, "", event.id, event.retry)
            data = sse.encode(told)
        else:
            self._last += 1
            data = sse.encode(Event(line, id=f"{self.number}-{self._last}"))
            self._remember(data)
        if self._exchange is not None:
            self._exchange.write(data)
            self._sent = self._last

    def _remember(self, data: bytes) -> None:
        self._log.append((self._last, data))
        self.size += len(data)
        while self.size > LOG_MAX and len(self._log) > 1:
            self.size -= len(self._log.popleft()[1])

    # --- signs of life --------------------------------------------------------------------------

    def _live(self) -> None:
        if self._exchange is None:
            return
        self.begin()
        self._exchange.write(sse.COMMENT)
        self._sign = self._clock.call_later(QUIET_S, self._live)


def _nothing() -> None:
    """The answer is whole: nobody needs to know when its reader goes."""


def _ignored(full: bool) -> None:
    """Nothing is sent any more that could be too much."""


def place(event_id: str) -> tuple[int, int] | None:
    """The numbers of a stream and of an event in it that an event id of ours names."""
    stream, _, event = event_id.partition("-")
    if stream.isascii() and stream.isdigit() and event.isascii() and event.isdigit():
        return (int(stream), int(event)) if len(event_id) < _ID_MAX else None
    return None


_ID_MAX: Final = 32
