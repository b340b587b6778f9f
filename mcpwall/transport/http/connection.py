"""One connection of an HTTP agent: one request after the other, each answered before the next.

A state machine over asyncio's protocol callbacks; everything that changes `_stage` stands here.
Whoever is too slow, says too much or comes out of turn loses the connection and nothing else.

    IDLE ─bytes→ READING ─whole→ ANSWERING ─over→ IDLE
                    │ refused        │ the last
                    └──→ CLOSING ←───┘
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from typing import Final, cast

from mcpwall.engine.clock import Clock, Timer
from mcpwall.transport.http.answer import Answer, head
from mcpwall.transport.http.exchange import Handler, Request
from mcpwall.transport.http.reading import Reader, RefusedError

HEAD_S: Final = 10.0  # for a connection's first byte, and from there for the head
BODY_S: Final = 30.0  # for each BODY_STEP bytes of a body, and for what is left of it
BODY_STEP: Final = 64 * 1024
IDLE_S: Final = 120.0  # between two requests: longer than clients keep a connection
STALL_S: Final = 300.0  # for a client that takes nothing of its answer
LINGER_S: Final = 2.0  # for a client to read why it was refused
HIGH_WATER: Final = 256 * 1024  # bytes of an answer that wait before its writer is told
EXTRA_MAX: Final = 64 * 1024  # bytes out of turn that are thrown away before a client is cut off

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_TEXT: Final = {"content-type": "text/plain; charset=utf-8"}


class _Stage(enum.Enum):
    IDLE = "idle"
    READING = "reading"
    ANSWERING = "answering"
    CLOSING = "closing"


class Connection(asyncio.Protocol):
    """Reads requests, has `check` look at each head, and gives whole requests to `handler`.

    `on_open(self)` is called when a client has connected, `on_over(self)` once the connection is no
    more. `keep(bytes)` is told how unfinished bodies grow and, with less than zero, go. `on_open`,
    `check` and a `keep` of more raise RefusedError.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        check: Callable[[Request], None],
        handler: Handler,
        keep: Callable[[int], None],
        on_open: Callable[[Connection], None],
        on_over: Callable[[Connection], None],
    ) -> None:
        self._clock = clock
        self._check = check
        self._handler = handler
        self._keep = keep
        self._on_open = on_open
        self._on_over = on_over
        self._transport = cast("asyncio.Transport", None)  # until connection_made
        self._stage = _Stage.IDLE
        self._reader: Reader | None = None
        self._checked = False  # the head has passed
        self._kept = 0  # bytes of an unfinished body
        self._steps = -1  # how far the request had come when its time was last extended
        self._answer: Answer | None = None
        self._extra = 0  # bytes that came out of turn
        self._timer: Timer | None = None

    @property
    def busy(self) -> bool:
        """A request is being answered."""
        return self._stage is _Stage.ANSWERING

    def close(self) -> None:
        """Close when what was written has gone out."""
        self._stage = _Stage.CLOSING
        self._transport.close()
        self._arm(LINGER_S)

    def abort(self) -> None:
        """Close now; what was not sent is lost."""
        self._stage = _Stage.CLOSING
        self._disarm()
        self._transport.abort()

    # --- what the transport calls ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        self._arm(HEAD_S)
        try:
            self._on_open(self)
        except RefusedError as error:
            self._refuse(error)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or bytes out of turn."""
        if self._stage is _Stage.CLOSING:
            return
        if self._stage is _Stage.ANSWERING:
            self._out_of_turn(len(data))
            return
        if self._reader is None:
            self._reader = Reader()
            self._checked, self._steps = False, -1
        reader = self._reader
        try:
            self._read(reader, data)
        except RefusedError as error:
            self._refuse(error)
            return
        if reader.whole:
            self._take(reader)

    def eof_received(self) -> None:
        """The client has closed its side: nobody waits for the answer any more."""
        if self._stage is _Stage.ANSWERING:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The connection is no more."""
        self._stage = _Stage.CLOSING
        self._disarm()
        self._let_go()
        answer, self._answer = self._answer, None
        self._on_over(self)
        if answer is not None:
            answer.gone()

    def pause_writing(self) -> None:
        """The client takes no more for now."""
        self._arm(STALL_S)
        if self._answer is not None:
            self._answer.on_full(True)

    def resume_writing(self) -> None:
        """The client takes more again."""
        if self._stage is _Stage.ANSWERING:
            self._disarm()
        if self._answer is not None:
            self._answer.on_full(False)

    # --- from one stage to the next -------------------------------------------------------------

    def _read(self, reader: Reader, data: bytes) -> None:
        """Take bytes of a request. Raises RefusedError."""
        reader.feed(data)
        if reader.head is not None and not self._checked:
            self._check(reader.head)
            self._checked = True
            if not reader.whole and "expect" in reader.head.headers:
                self._transport.write(_CONTINUE)
        if not reader.whole:
            self._read_on(reader)

    def _read_on(self, reader: Reader) -> None:
        """Wait for more of a request, at a pace. Raises RefusedError."""
        self._stage = _Stage.READING
        if reader.size > self._kept:
            self._keep(reader.size - self._kept)
            self._kept = reader.size
        steps = 0 if reader.head is None else 1 + reader.size // BODY_STEP
        if steps != self._steps:
            self._steps = steps
            self._arm(BODY_S if steps else HEAD_S)

    def _take(self, reader: Reader) -> None:
        """Hand a whole request over."""
        self._stage = _Stage.ANSWERING
        self._disarm()
        self._let_go()
        self._extra = 0
        self._answer = answer = Answer(
            reader.request(),
            chunked=reader.version == "1.1",
            keeps=reader.keeps_alive and not reader.extra,
            send=self._transport.write,
            over=self._answered,
        )
        self._handler(answer)  # should it raise, the loop logs that and closes

    def _answered(self, keeps: bool) -> None:
        """The answer is whole: ready for the next request."""
        self._answer = None
        if keeps and not self._extra:
            self._stage = _Stage.IDLE
            self._arm(IDLE_S)
        else:
            self.close()

    def _refuse(self, error: RefusedError) -> None:
        """Say why a request is not taken, and end the connection once that can be read."""
        self._stage = _Stage.CLOSING
        self._let_go()
        body = f"{error}\n".encode()
        told = head(error.status, {**_TEXT, **error.headers}, length=len(body), keeps=False)
        self._transport.write(told + body)
        self._transport.write_eof()  # closing at once could take the answer back (RFC 9112, 9.6)
        self._arm(LINGER_S)

    def _let_go(self) -> None:
        """What was read of a request is not kept here any more."""
        self._reader = None
        if self._kept:
            self._keep(-self._kept)
            self._kept = 0

    def _out_of_turn(self, size: int) -> None:
        """Throw away what came before the answer's end; the connection ends with the answer."""
        self._extra += size
        if self._extra > EXTRA_MAX:
            self.abort()

    # --- time -----------------------------------------------------------------------------------

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self._clock.call_later(seconds, self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        match self._stage:
            case _Stage.IDLE:
                self.close()
            case _Stage.READING:
                self._refuse(RefusedError(408, "the request took too long"))
            case _:
                self.abort()
