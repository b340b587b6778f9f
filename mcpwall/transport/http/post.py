"""One message for a remote server on its way, and what becomes of its answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from mcpwall.engine.wording import DOUBT
from mcpwall.model import RequestId
from mcpwall.protocol import codec
from mcpwall.protocol.codec import INTERNAL_ERROR, NOT_READ
from mcpwall.protocol.tool_list import is_own
from mcpwall.transport.http.ears import CUT, TOLD, Ear, Peer, one_line
from mcpwall.transport.http.remote import Fault, Sending, Trouble
from mcpwall.transport.http.resume import Resumption
from mcpwall.transport.http.sse import Event
from mcpwall.transport.http.stream import Stream

if TYPE_CHECKING:
    from mcpwall.transport.http.remote_end import RemoteEnd


class Post:
    """One message on its way, and what comes of it; see `remote.Receiver`."""

    def __init__(
        self, end: RemoteEnd, peer: Peer, line: bytes, method: str, request_id: RequestId | None
    ) -> None:
        self.line = line
        self.id = request_id
        self.session = ""  # the session that it was sent in
        self.tried = False  # it was sent a second time
        self.sending: Sending | None = None
        self.resumption = Resumption()
        self._end = end
        self._peer = peer
        self._method = method
        self._waits: Stream | None = None  # for a 202, when the server has taken the message
        if request_id is None and peer.origin is not None:
            self._waits = peer.origin
            self._waits.acks += 1

    @property
    def is_call(self) -> bool:
        """It calls a tool."""
        return self._method == "tools/call"

    @property
    def _way(self) -> Stream | None:
        return self._peer.stream(self.id)

    def started(self, status: int, sent: Any, stream: bool) -> None:  # noqa: ARG002 - as Receiver
        """The server answers."""
        if self._method == "initialize":
            self._end.session_id = sent.get("mcp-session-id", "")
        if stream and (way := self._way) is not None:
            way.begin()
        self._taken()

    def event(self, event: Event) -> None:
        """A message, or an event that carries none."""
        self.resumption.saw(event)
        way = self._way
        if event.data:
            self._peer.from_server([one_line(event.data)], way, event)
        elif way is not None:
            way.pass_on(event)

    def ended(self, fault: Fault | None) -> None:
        """The answer is whole, or nothing more of it comes this way."""
        self._end.done(self.id)
        if fault is None:
            self._taken()
            if self._method == "notifications/initialized":
                self._end.on_opened()
        elif fault.trouble is Trouble.GONE and self.session and not self.tried:
            self._refuse(HTTPStatus.NOT_FOUND)
            self._end.session_gone(self)
            return
        if self.id is not None and not self._end.over:
            self._settle(self.id, fault)
        elif fault is not None:
            self._refuse(fault.status if fault.status in TOLD else HTTPStatus.BAD_GATEWAY)

    def fail(self, why: str) -> None:
        """It cannot be sent again."""
        if self.id is not None and self._peer.live.protocol.awaits(self.id):
            line = codec.error_line(self.id, INTERNAL_ERROR, f"mcpwall: {why}")
            self._peer.from_server([line])

    def _settle(self, request_id: RequestId, fault: Fault | None) -> None:
        """See that a request has its answer."""
        live = self._peer.live
        if not live.protocol.awaits(request_id):
            return
        if fault is None:
            if self.resumption.last_id and not live.protocol.parties.stateless:
                self._go_on(request_id)
                return
            fault = Fault(Trouble.CUT, CUT, may_have_run=True)
        way = self._way
        line = _error_of(fault, request_id)
        if line is None and fault.may_have_run and not is_own(request_id):
            doubt = f"; {DOUBT}" if self.is_call else ""
            live.unanswered(request_id, fault.text + doubt)
            return
        if way is not None and fault.status in TOLD and not self._end.session_id:
            way.status = fault.status
        text = f"mcpwall: {fault.text}"
        self._peer.from_server([line or codec.error_line(request_id, INTERNAL_ERROR, text)], way)

    def _go_on(self, request_id: RequestId) -> None:
        """The server wants to be come back to for the answer."""
        way = self._way
        if self._peer.comes_back and way is not None:
            self._peer.cut(way)
        elif not self._peer.comes_back or is_own(request_id):
            Ear(self._end, self._peer, self.resumption, request_id).later()

    def _taken(self) -> None:
        """The server has the message: so may its sender be told."""
        waits, self._waits = self._waits, None
        if waits is not None:
            waits.acks -= 1
            if not waits.acks and not waits.ids and not waits.over:
                waits.accepted()

    def _refuse(self, status: int) -> None:
        """The server does not take a message that has no answer."""
        waits, self._waits = self._waits, None
        waits = waits or self._way
        if waits is not None and not waits.over and not waits.begun and not waits.ids:
            waits.refuse(status)
        elif waits is not None and not waits.begun:
            waits.status = status


def _error_of(fault: Fault, request_id: RequestId) -> bytes | None:
    """The server's own JSON-RPC error in a refusal, as the answer to the request that it is."""
    if not fault.body:
        return None
    try:
        body = msgspec.json.decode(fault.body)
    except NOT_READ:
        return None
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        return None
    return codec.encode({"jsonrpc": "2.0", "id": request_id, "error": error})
