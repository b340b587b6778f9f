"""A remote server has forgotten the session of an agent that cannot begin a new one: begin it here.

Few clients start a stdio server anew, so an agent on pipes would have lost its server for good.
What the agent said as it opened is said again, and what the server refused with a 404, so did not
take up, is sent again, once. MCP 2025-11-25, Streamable HTTP, "Session Management".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mcpwall.protocol.codec import NOT_READ, encode
from mcpwall.transport.http.remote import Fault
from mcpwall.transport.http.sse import Event

if TYPE_CHECKING:
    from mcpwall.transport.http.post import Post
    from mcpwall.transport.http.remote_end import RemoteEnd

_INITIALIZED = encode({"jsonrpc": "2.0", "method": "notifications/initialized"})


class Reopening:
    """Says `initialize` once more, then `initialized`; see `remote.Receiver`."""

    def __init__(self, end: RemoteEnd, hello: bytes) -> None:
        self._end = end
        self._session = ""
        self._result = False
        self._posts: list[Post] = []
        end.post(hello, {}, self)

    def wait(self, post: Post | None) -> None:
        """Send this message again once the session is open."""
        if post is not None:
            self._posts.append(post)

    def started(self, status: int, sent: Any, stream: bool) -> None:  # noqa: ARG002 - as Receiver
        """The server answers."""
        self._session = sent.get("mcp-session-id", "")

    def event(self, event: Event) -> None:
        """The result, or something beside it."""
        try:
            message = msgspec.json.decode(event.data or b"")
        except NOT_READ:
            return
        self._result = self._result or (isinstance(message, dict) and "result" in message)

    def ended(self, fault: Fault | None) -> None:
        """The session is open, or cannot be had."""
        if self._end.over:
            return
        if fault is not None or not self._result:
            why = "it does not open it again" if fault is None else fault.text
            self._end.reopened("", self._posts, f"the server has ended the session: {why}")
            return
        self._end.session_id = self._session
        self._end.post(_INITIALIZED, self._end.session_headers(), _Opened(self._end, self._posts))


class _Opened:
    """The server is told that the session is open; see `remote.Receiver`."""

    def __init__(self, end: RemoteEnd, posts: list[Post]) -> None:
        self._end = end
        self._posts = posts

    def started(self, status: int, sent: Any, stream: bool) -> None:
        """It was heard."""

    def event(self, event: Event) -> None:
        """There is nothing to say to it."""

    def ended(self, fault: Fault | None) -> None:
        """Go on with what waited."""
        if not self._end.over:
            why = "" if fault is None else f"the server does not open the session: {fault.text}"
            self._end.reopened(self._end.session_id, self._posts, why)
