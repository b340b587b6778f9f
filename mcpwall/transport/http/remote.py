"""What a session knows of a remote server: it sends one HTTP request, and gets what comes of it.

`Upstream` is one remote server as one session uses it, `Receiver` is whoever waits for an answer.
Ids of sessions, versions and resumed streams are the session's business; connections, credentials,
redirects and time-outs are the upstream's (`transport.http.upstream`). All of it runs on the
engine's loop, and nothing here waits.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mcpwall.transport.http.sse import Event


class Trouble(enum.StrEnum):
    """What went wrong with a request to a remote server."""

    SETUP = "setup"  # the wall has no credential to send: nothing was sent
    UNREACHABLE = "unreachable"  # no connection: name, network, certificate
    LOGIN = "login"  # 401: the credential is missing, or not taken
    FORBIDDEN = "forbidden"  # 403
    GONE = "gone"  # 404: the session is over, or the address is wrong
    METHOD = "method"  # 405: to a GET, that the server has no stream of its own
    BUSY = "busy"  # 429
    REFUSED = "refused"  # any other 4xx
    REDIRECT = "redirect"  # to a place that the request is not sent to
    BROKEN = "broken"  # 5xx
    SILENT = "silent"  # nothing came for too long
    CUT = "cut"  # the connection ended before the answer did
    FOREIGN = "foreign"  # what came is not MCP: a web page, a coding, too much


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a request got no whole answer.

    `text` is one sentence for a person and a model: what is wrong and what to do, without any of
    the server's own words. `may_have_run`: the server may have acted on the request. `retry_s`:
    seconds after which the server wants it repeated. `body`: what a 4xx or 5xx answered, if it
    calls itself JSON: a JSON-RPC error for this request may be in it.
    """

    trouble: Trouble
    text: str
    may_have_run: bool = False
    status: int = 0
    retry_s: float | None = None
    body: bytes = field(default=b"", repr=False)


class Receiver(Protocol):
    """Gets what comes of one request: `started` at most once, events, then `ended` once.

    Nothing is called after `Sending.close`, and nothing before `Upstream.send` has returned.
    """

    def started(self, status: int, headers: Mapping[str, str], stream: bool) -> None:
        """A 2xx answer begins. `headers` by small names, only `content-type` and `mcp-*`.

        `stream`: events come as the server sends them; else at most one, with the whole body.
        """
        ...

    def event(self, event: Event) -> None:
        """One event of the stream, or the whole of a JSON body as the data of one."""
        ...

    def ended(self, fault: Fault | None) -> None:
        """Nothing more comes. None: the answer was whole, or the stream was closed in order."""
        ...


class Sending(Protocol):
    """One request under way."""

    def close(self) -> None:
        """Give it up: its connection is closed, and its receiver hears nothing more."""
        ...

    def pause(self) -> None:
        """Take no more from the network until `resume`; what was taken may still come."""
        ...

    def resume(self) -> None:
        """Go on after `pause`."""
        ...


class Upstream(Protocol):
    """One remote server, as one session uses it."""

    def send(
        self, method: str, body: bytes | None, headers: Mapping[str, str], receiver: Receiver
    ) -> Sending:
        """Send a request: POST with a body, GET or DELETE without.

        Of `headers` only Accept, Last-Event-ID and those named MCP-… go on, and none that holds a
        credential; `Content-Type` is the wall's own. A request without `Accept` takes JSON and
        streams.
        """
        ...

    def close(self) -> None:
        """Give up every request under way."""
        ...
