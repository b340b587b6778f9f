"""The client's requests under way, by id, and the cancelled ones whose late answer may come. Pure.

Source: JSON-RPC 2.0 section 4 (ids); MCP cancellation page: an answer may cross a cancellation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from mcpwall.model import JsonObject, RequestId
from mcpwall.protocol import codec, methods
from mcpwall.protocol.codec import INVALID_REQUEST, Malformed
from mcpwall.protocol.progress import Progress
from mcpwall.protocol.requests import Request, Stage
from mcpwall.protocol.tool_list import OWN_ID, is_own

OPEN_MAX: Final = 10_000  # requests under way at once
MEMORY_MAX: Final = 16 * 1024  # bytes of what outlives the engine, in each direction
CANCELLED_MAX: Final = 256  # cancelled requests whose late answer is still let through


def kept(known: Iterable[tuple[RequestId, str]]) -> list[tuple[RequestId, str]]:
    """As many of these as have room in what outlives the engine: whatever else is there has it."""
    room, found = MEMORY_MAX, []
    for each in known:
        room -= len(codec.encode(each))
        if room < 0:
            break
        found.append(each)
    return found


class UnderWay(dict[RequestId, Request]):
    """Requests by id. `progress` knows their tokens."""

    def __init__(self, known: list[tuple[RequestId, str]]) -> None:
        """`known`: what `memory` said of the same conversation to an engine before this one."""
        super().__init__()
        self.progress = Progress()
        self._cancelled: dict[RequestId, Request] = {}
        self._left: list[Request] = []  # never judged by the engine that read them
        for request_id, method in known:
            request = Request(request_id, method, stage=Stage.FORWARDED, changes=-1)
            self[request_id] = request
            if methods.way(method) is methods.JUDGE:
                self._left.append(request)

    def memory(self) -> list[tuple[RequestId, str]]:
        """Those that are in no record, the oldest first, and as many as have room."""
        return kept((each.id, each.method) for each in self.values() if not each.call)

    def take_back(self, messages: list[JsonObject]) -> set[RequestId]:
        """The ids of the requests among these; what was not judged of them is forgotten."""
        ids = {message.get("id") for message in messages if "method" in message}
        known = {request_id for request_id in ids if codec.is_id(request_id)}
        for request_id in known:
            request = self.get(request_id)
            if request is not None and not request.call:
                del self[request_id]
        return known

    def never_judged(self) -> list[Request]:
        """Requests that waited for the list of tools as another engine ended; forgotten now."""
        left, self._left = self._left, []
        left = [request for request in left if self.get(request.id) is request]
        for request in left:
            self.over(request)
        return left

    def begin(self, request: Request) -> None:
        """A request has come."""
        self[request.id] = request
        self.progress.begin(request)

    def over(self, request: Request) -> None:
        """A request needs no answer any more."""
        self.pop(request.id, None)
        self.progress.forget(request)

    def check(self, request_id: RequestId) -> None:
        """Refuse the id of a new request that cannot be told from another. Raises Malformed."""
        if self.is_used(request_id):
            raise Malformed(INVALID_REQUEST, f"id {request_id!r} is in use by a request under way")
        if is_own(request_id):
            raise Malformed(INVALID_REQUEST, f"ids that start with {OWN_ID!r} are the wall's own")
        if len(self) >= OPEN_MAX:
            raise Malformed(INVALID_REQUEST, f"{OPEN_MAX} requests are under way", request_id)

    def is_used(self, request_id: RequestId) -> bool:
        """Whether a request has this id, or one that a server may take for it."""
        if not self and not self._cancelled:
            return False
        twin = str(request_id) if type(request_id) is int else codec.as_integer(str(request_id))
        if request_id in self or twin in self:
            return True
        return request_id in self._cancelled or twin in self._cancelled

    def cancel(self, request_id: Any) -> tuple[Request, Stage] | None:
        """The client gives a request up: the request and its stage until now; None for no such."""
        request = self.pop(request_id, None) if codec.is_id(request_id) else None
        if request is None:
            return None
        was, request.stage = request.stage, Stage.CANCELLED
        if was is not Stage.FORWARDED:
            self.progress.forget(request)
            return request, was
        self._cancelled[request.id] = request
        if len(self._cancelled) > CANCELLED_MAX:
            self.progress.forget(self._cancelled.pop(next(iter(self._cancelled))))
        return request, was

    def late(self, request_id: RequestId) -> Request | None:
        """The cancelled request that an answer is to; it gets no other."""
        request = self._cancelled.pop(request_id, None)
        if request is not None:
            self.progress.forget(request)
        return request

    def answered_by(self, ids: list[RequestId]) -> list[Request]:
        """Those of these ids that the server has, and that need no answer any more."""
        asked = [self.get(each) for each in dict.fromkeys(ids)]
        answered = [each for each in asked if each and each.stage is Stage.FORWARDED]
        for request in answered:
            self.over(request)
        return answered

    def clear(self) -> None:
        """Forget all."""
        super().clear()
        self.progress = Progress()
