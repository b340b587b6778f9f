"""One HTTP request and its answer, as the listener and whoever answers see each other.

Values and protocols alone. The listener makes an `Exchange` of a request that has come through
the gate, whole, and gives it to the `Handler`; the handler answers at once or later. Everything
runs on the engine's loop, in callbacks that do not wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

import msgspec


class Request(msgspec.Struct, frozen=True):
    """A request as it came. Text is foreign.

    `headers` has lower-case names; one that was given several times is one value, joined with
    ", ", except where that has no meaning: then the request was refused (RFC 9110, 5.3).
    """

    method: str
    path: str  # as sent, not decoded; without the query
    query: str  # behind the "?", or ""
    headers: Mapping[str, str]
    body: bytes


class Exchange(Protocol):
    """A request that is being answered: `reply`, or `start`, any number of `write`, and `end`.

    What is written after the client went away is dropped. `on_gone` is called once, if the client
    goes away before the answer's end, and never from within a call of this object's methods.
    `on_full(True)` says that the client takes no more for now, `on_full(False)` that it does
    again; what is written meanwhile is kept.
    """

    request: Request
    on_gone: Callable[[], None]
    on_full: Callable[[bool], None]

    def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Give a whole answer; its length is added to the headers."""
        ...

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Begin an answer whose length is not known; the head goes out at once."""
        ...

    def write(self, data: bytes) -> None:
        """Go on with an answer that was started; goes out at once."""
        ...

    def end(self) -> None:
        """The answer that was started is whole."""
        ...


Handler: TypeAlias = Callable[[Exchange], None]
