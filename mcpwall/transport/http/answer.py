"""The answer to one HTTP request, as bytes: whole, or piece by piece while it comes about.

No I/O: the bytes go to `send`. RFC 9112: a length or chunks; to a client of HTTP/1.0 neither, the
connection's end is the answer's.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from mcpwall.transport.http.exchange import Request

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_BODILESS: Final = (204, 304)  # their answers have no body, and no length either


class _State(enum.Enum):
    NEW = "new"
    STARTED = "started"
    OVER = "over"
    GONE = "gone"  # the client went away first


class Answer:
    """An `Exchange` (see there). `over(keeps)` is called after the answer's last byte.

    `chunked`: the client understands chunks. `keeps`: another request may follow on this
    connection.
    """

    def __init__(
        self,
        request: Request,
        *,
        chunked: bool,
        keeps: bool,
        send: Callable[[bytes], None],
        over: Callable[[bool], None],
    ) -> None:
        self.request = request
        self.on_gone: Callable[[], None] = _nothing
        self.on_full: Callable[[bool], None] = _nothing
        self._chunked = chunked
        self._keeps = keeps
        self._send = send
        self._over = over
        self._state = _State.NEW

    @property
    def new(self) -> bool:
        """Nothing of the answer was given yet."""
        return self._state is _State.NEW

    def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Give a whole answer."""
        if self._moves(_State.NEW, _State.OVER):
            self._send(head(status, headers, length=len(body), keeps=self._keeps) + body)
            self._over(self._keeps)

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Begin an answer."""
        if self._moves(_State.NEW, _State.STARTED):
            self._keeps = self._keeps and self._chunked
            if self._chunked:
                headers = {**headers, "transfer-encoding": "chunked"}
            self._send(head(status, headers, keeps=self._keeps))

    def write(self, data: bytes) -> None:
        """Go on with an answer."""
        if data and self._moves(_State.STARTED, _State.STARTED):
            self._send(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def end(self) -> None:
        """End an answer that was started."""
        if self._moves(_State.STARTED, _State.OVER):
            if self._chunked:
                self._send(b"0\r\n\r\n")
            self._over(self._keeps)

    def gone(self) -> None:
        """The client has gone away."""
        if self._state in (_State.NEW, _State.STARTED):
            self._state = _State.GONE
            self.on_gone()

    def _moves(self, before: _State, after: _State) -> bool:
        """Whether there is somebody to send to. Raises RuntimeError out of turn."""
        if self._state is _State.GONE:
            return False
        if self._state is not before:
            raise RuntimeError(f"an HTTP answer that is {self._state.value} cannot go on so")
        self._state = after
        return True


def head(
    status: int, headers: Mapping[str, str], *, length: int | None = None, keeps: bool = True
) -> bytes:
    """The status line and headers of an answer. Raises ValueError for a header of many lines."""
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, '')}"]
    for name, value in headers.items():
        if not (name + value).isascii() or not (name + value).isprintable():
            raise ValueError(f"the header {name!r} is not one line of ASCII")
        lines.append(f"{name}: {value}")
    if length is not None and status not in _BODILESS:
        lines.append(f"content-length: {length}")
    if not keeps:
        lines.append("connection: close")
    return "\r\n".join([*lines, "\r\n"]).encode("ascii")


def _nothing(*_: object) -> None:
    """What is called until the handler says what it wants to know."""
