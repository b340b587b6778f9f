"""Which request a progress token belongs to, and the values that the wall has sent on it. Pure.

Source: MCP progress page: tokens are unique among the requests under way, and values increase.
"""

from __future__ import annotations

from mcpwall.model import JsonObject, RequestId
from mcpwall.protocol import codec
from mcpwall.protocol.requests import Request


class Progress:
    """The tokens of the requests under way."""

    def __init__(self) -> None:
        self._requests: dict[RequestId, RequestId] = {}  # token → the request that gave it
        self._sent: dict[RequestId, int | float] = {}  # token → the last value that the wall sent

    def begin(self, request: Request) -> None:
        """A request is under way."""
        if request.token is not None:
            self._requests[request.token] = request.id

    def knows(self, token: RequestId) -> bool:
        """Whether a request under way has this token."""
        return token in self._requests

    def forget(self, request: Request) -> None:
        """A request is over."""
        if request.token is not None:
            self._sent.pop(request.token, None)
            if self._requests.get(request.token) == request.id:
                del self._requests[request.token]

    def sign(self, request: Request, text: str) -> bytes | None:
        """The wall's own sign of life for a request; None when the client gave no token for it."""
        if request.token is None:
            return None
        value = self._sent.get(request.token, 0) + 1
        self._sent[request.token] = value
        params = {"progressToken": request.token, "progress": value, "message": text}
        return codec.encode(
            {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}
        )

    def take(self, params: JsonObject) -> tuple[bool, RequestId | None]:
        """The server's progress: whether it may go on, and the request that it is about.

        It may not where the wall has counted further already.
        """
        token, value = params.get("progressToken"), params.get("progress")
        if not codec.is_id(token):
            return True, None
        if token in self._sent:
            if not isinstance(value, int | float) or value <= self._sent[token]:
                return False, None
            self._sent[token] = value
        return True, self._requests.get(token)
