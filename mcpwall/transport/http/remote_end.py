"""The server's end of a session whose server is remote: each line is a POST of its own.

The body is the wall's encoding of what was judged, and the headers are built from it. Ids of
events, times to wait and the kind of an answer (JSON or a stream) go on to agents that come by
HTTP as the server gave them. A stream that ends without its answer, but with an id to come back
to, is gone on with: by the agent where it speaks HTTP itself, else from here (`Ear`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.model import JsonObject, RequestId
from mcpwall.transport.http import headers
from mcpwall.transport.http.ears import Ear, Farewell, Listen, Peer
from mcpwall.transport.http.post import Post
from mcpwall.transport.http.remote import Receiver, Sending, Upstream
from mcpwall.transport.http.reopening import Reopening
from mcpwall.transport.http.stream import Stream

if TYPE_CHECKING:
    from mcpwall.engine.clock import Clock

_TOOLS_CHANGED: Final = b'{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'
GONE: Final = "the server has ended the session; begin a new one"


class RemoteEnd:
    """One session at one remote server.

    `session_id` (the server's name for it) and `hello` (the `initialize` that opened it) outlive
    the engine where the session does.
    """

    numbered = False
    full = False
    pid = 0

    def __init__(self, clock: Clock, upstream: Upstream, peer: Peer) -> None:
        self.session_id = ""
        self.hello = b""
        self.on_opened: Callable[[], None] = _nothing  # the server has taken `initialized`
        self.on_closed: Callable[[], None] = _nothing  # nothing of the session is left to be sent
        self._clock = clock
        self._upstream = upstream
        self._peer = peer
        self._posts: dict[RequestId, Post] = {}
        self._listening: dict[Stream, Listen] = {}
        self._ears: dict[Ear, Sending] = {}
        self._paused = False
        self._reopening: Reopening | None = None
        self._judged_again: set[RequestId] = set()  # calls in a session that was opened anew
        self._over = False

    # --- what the session gives -----------------------------------------------------------------

    def send(self, line: bytes, about: RequestId | None) -> None:  # noqa: ARG002 - it says itself
        """Send a line."""
        message: JsonObject = msgspec.json.decode(line)
        method = message.get("method", "")
        if method == "initialize":
            self.hello = line
        if method == "notifications/cancelled" and self._peer.live.protocol.parties.stateless:
            self._hang_up(message["params"]["requestId"])
            return
        request_id: RequestId | None = message.get("id") if method else None
        post = Post(self, self._peer, line, method, request_id)
        if post.is_call and request_id in self._judged_again:
            self._judged_again.discard(request_id)
            post.tried = True
        self._send(post, self._headers(message))

    def _send(self, post: Post, said: Mapping[str, str]) -> None:
        if self._reopening is not None:
            self._reopening.wait(post)
            return
        if post.id is not None:
            self._posts[post.id] = post
        post.session = self.session_id
        post.sending = self._upstream.send("POST", post.line, said, post)
        if self._paused:
            post.sending.pause()

    def flush(self) -> None:
        """All that was given has gone."""

    def pause(self) -> None:
        """Take no more of the server for now."""
        self._paused = True
        for sending in self._sendings():
            sending.pause()

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        for sending in self._sendings():
            sending.resume()

    def listen(self, stream: Stream, last_event_id: str) -> None:
        """Let the server fill an agent's listening stream, or go on with a broken one."""
        listen = Listen(self, self._peer, stream)
        self._listening[stream] = listen
        listen.sending = self.get({"Last-Event-ID": last_event_id} if last_event_id else {}, listen)

    def gone(self, stream: Stream) -> None:
        """An agent's connection is gone. What can be come back for is not waited for here."""
        listen = self._listening.pop(stream, None)
        if listen is not None and listen.sending is not None:
            listen.sending.close()
        for request_id in stream.ids:
            post = self._posts.get(request_id)
            if post is not None and post.resumption.last_id and post.sending is not None:
                post.sending.close()
                del self._posts[request_id]

    def close(self) -> None:
        """The session is over: tell the server so."""
        self._over = True
        for sending in self._sendings():
            sending.close()
        self._posts.clear()
        self._listening.clear()
        self._ears.clear()
        if self.session_id:
            self._upstream.send("DELETE", None, self.session_headers(), Farewell(self._closed))
        else:
            self._closed()

    def _closed(self) -> None:
        self._upstream.close()
        self.on_closed()

    # --- what its requests tell -----------------------------------------------------------------

    @property
    def over(self) -> bool:
        """The session is over."""
        return self._over

    @property
    def clock(self) -> Clock:
        """Time, for whoever comes back later."""
        return self._clock

    def get(self, more: dict[str, str], receiver: Receiver) -> Sending:
        """Open a stream of the server's own."""
        sending = self._upstream.send("GET", None, {**self.session_headers(), **more}, receiver)
        if self._paused:
            sending.pause()
        return sending

    def hear(self, ear: Ear, more: dict[str, str]) -> None:
        """Open a stream of the server's own for an agent that has no streams."""
        self._ears[ear] = self.get(more, ear)

    def unheard(self, ear: Ear) -> None:
        """That stream is at its end."""
        self._ears.pop(ear, None)

    def post(self, line: bytes, said: Mapping[str, str], receiver: Receiver) -> Sending:
        """Send a message of the wall's own."""
        return self._upstream.send("POST", line, said, receiver)

    def done(self, request_id: RequestId | None) -> None:
        """A request's way is at its end."""
        if request_id is not None:
            self._posts.pop(request_id, None)

    def heard(self, stream: Stream) -> None:
        """A listening stream is at its end."""
        self._listening.pop(stream, None)

    def session_gone(self, post: Post | None = None) -> None:
        """The server knows the session no more, as it said to this message.

        An agent by HTTP is told, and begins a new one; for one on pipes that is done here.
        """
        if self._peer.comes_back:
            self.session_id = ""
            self._peer.end(GONE, GONE)
            return
        if self._reopening is None and (post is None or post.session == self.session_id):
            self._reopening = Reopening(self, self.hello)
        if self._reopening is not None:
            self._reopening.wait(post)
        elif post is not None:
            self.again(post)

    def again(self, post: Post) -> None:
        """Send a message once more that the server did not take up."""
        post.tried = True
        self._send(post, self.session_headers())

    def reopened(self, session_id: str, posts: list[Post], fault: str) -> None:
        """The session stands again, or cannot be had: `fault` says why."""
        self._reopening = None
        self.session_id = session_id
        if not fault:  # it may be another server by now
            self._peer.from_server([_TOOLS_CHANGED])
        for post in posts:
            if fault:
                post.fail(fault)
            elif post.is_call and post.id is not None:
                self._judged_again.add(post.id)
                self._peer.live.call_again(post.id, post.line)
            else:
                self.again(post)

    def session_headers(self) -> dict[str, str]:
        """What every request of an open session says."""
        said = {}
        if version := self._peer.live.protocol.parties.version:
            said["MCP-Protocol-Version"] = headers.encoded(version)  # as the server wrote it
        if self.session_id:
            said["Mcp-Session-Id"] = self.session_id
        return said

    def _headers(self, message: JsonObject) -> dict[str, str]:
        if message.get("method") == "initialize":
            return {}
        if not self._peer.live.protocol.parties.stateless:
            return self.session_headers()
        schema: JsonObject = {}
        if message.get("method") == "tools/call":
            tool = self._peer.live.tools.get(message["params"]["name"])
            schema = {} if tool is None else tool.input_schema
        return headers.of(message, schema)

    def _hang_up(self, request_id: RequestId) -> None:
        """The agent has cancelled a request: in the stateless era, to close it is to say so."""
        post = self._posts.pop(request_id, None)
        if post is not None and post.sending is not None:
            post.sending.close()
        self._peer.live.protocol.unanswered(request_id)

    def _sendings(self) -> list[Sending]:
        posts = [post.sending for post in self._posts.values()]
        listening = [listen.sending for listen in self._listening.values()]
        ways = (*posts, *listening, *self._ears.values())
        return [sending for sending in ways if sending is not None]


def _nothing() -> None:
    """Nobody needs to know."""
