"""How a stream of events goes on after it ended: from which event, and after how long.

Pure: whoever owns the stream asks, waits and sends. Source: MCP specification 2025-11-25,
"Resumability and redelivery"; WHATWG HTML, "Server-sent events", 9.2.3.
"""

from __future__ import annotations

from typing import Final

from mcpwall.transport.http.sse import Event

RETRY_S: Final = 1.0  # where the server names no time
RETRY_MAX_S: Final = 60.0  # however often it failed
_ID_MAX: Final = 4096  # characters of an event's id that are sent back


class Resumption:
    """What to know of one stream to ask for the rest of it."""

    def __init__(self) -> None:
        self.last_id = ""  # of the last event that had one
        self._retry_s = RETRY_S
        self._failures = 0

    def saw(self, event: Event) -> None:
        """Take note of an event that has been dealt with."""
        self._failures = 0
        if event.id is not None and _fits_a_header(event.id):
            self.last_id = event.id
        if event.retry is not None:
            self._retry_s = min(event.retry / 1000, RETRY_MAX_S)

    def ended(self) -> float:
        """The stream is over, or could not be had: the seconds to wait before the next try.

        Without any event between, each try waits twice as long as the one before.
        """
        wait = self._retry_s * 2.0 ** min(self._failures, 16)
        self._failures += 1
        return min(max(wait, 0.0), RETRY_MAX_S)

    def headers(self) -> dict[str, str]:
        """What the next request says besides the session's own headers."""
        return {"Last-Event-ID": self.last_id} if self.last_id else {}


def _fits_a_header(text: str) -> bool:
    return len(text) <= _ID_MAX and text.isascii() and text.isprintable()
