"""One request to a remote server: a task that ends by telling its receiver what came of it.

Credentials go to the origin of the server's URL and nowhere else: other redirects are reported,
not followed. An answer is taken only if it is what MCP says (JSON, a stream of events, or nothing);
what else came is named, never quoted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from mcpwall.store.references import UnresolvedError
from mcpwall.store.remotes import RemoteConfig
from mcpwall.transport.http import faults
from mcpwall.transport.http.credentials import Credentials, LoginNeededError
from mcpwall.transport.http.faults import ConnectionFault
from mcpwall.transport.http.remote import Fault, Receiver
from mcpwall.transport.http.sse import EVENT_MAX, Event, Parser, SseError
from mcpwall.transport.http.troubles import Troubles

if TYPE_CHECKING:
    from mcpwall.transport.http.client import Answer, Connections

BODY_MAX: Final = EVENT_MAX  # bytes of a JSON answer
ERROR_MAX: Final = 1024 * 1024  # bytes of a JSON answer that tells of an error
ATTEMPTS_MAX: Final = 5  # redirects followed and credentials renewed, together

_STREAM: Final = "text/event-stream"
_JSON: Final = "application/json"
_FOLLOWED: Final = (307, 308)  # they keep method and body
_OK: Final = range(200, 300)
_UNAUTHORIZED: Final = 401
_T = TypeVar("_T")


class Place(Protocol):
    """What a request needs to know of its server."""

    name: str
    place: str  # how texts call it
    config: RemoteConfig
    credentials: Credentials
    connections: Callable[[], Awaitable[Connections]]
    troubles: Troubles


class _Failed(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


class Request:
    """A request under way; see `remote.Sending`."""

    def __init__(
        self,
        server: Place,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str],
        receiver: Receiver,
    ) -> None:
        self._server = server
        self._method = method
        self._body = body
        self._headers = headers
        self._receiver = receiver
        self._acts = method == "POST"  # an answer that does not come leaves doubt
        self._patience_s: float | None = server.config.timeout_s
        self._closed = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.task = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        """Give it up."""
        self._closed = True
        self.task.cancel()

    def pause(self) -> None:
        """Take no more from the network for now."""
        self._flowing.clear()

    def resume(self) -> None:
        """Go on taking."""
        self._flowing.set()

    async def _run(self) -> None:
        place = self._server.place
        fault: Fault | None = None
        try:
            await self._exchange()
        except _Failed as error:
            fault = error.fault
        except UnresolvedError as error:
            fault = faults.setup(place, str(error))
        except LoginNeededError as error:
            fault = faults.login(place, str(error))
        except ConnectionFault as error:
            fault = faults.disconnected(place, error, ran=self._acts)
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits is told
            fault = faults.unexpected(place, error, ran=self._acts)
        if self._closed:
            return
        if fault is not None:
            self._server.troubles.met(self._server.name, fault)
        self._receiver.ended(fault)

    async def _exchange(self) -> None:
        """Send, and send again where that is safe, until there is an answer to take."""
        connections = await self._server.connections()
        credentials = self._server.credentials
        url, renewed = self._server.config.url, False
        for _ in range(ATTEMPTS_MAX):
            sent = await credentials.headers()
            headers = {**self._headers, **sent}
            answer = await self._patiently(connections.open(self._method, url, headers, self._body))
            try:
                if answer.status == _UNAUTHORIZED and not renewed:
                    renewed = True
                    if await credentials.refused(sent):
                        continue
                if answer.status in _FOLLOWED:
                    url = self._target(connections, url, answer)
                    continue
                return await self._take(answer)
            finally:
                answer.close()
        raise _Failed(faults.status(self._server.place, 308))

    def _target(self, connections: Connections, url: str, answer: Answer) -> str:
        """Where a redirect leads within the origin. Raises _Failed when it leads elsewhere."""
        target, origin = connections.redirected(url, answer.headers.get("location", ""))
        if not target:
            raise _Failed(faults.elsewhere(self._server.place, answer.status, origin))
        return target

    async def _take(self, answer: Answer) -> None:
        """Hand an answer on. Raises _Failed when there is nothing in it to hand on."""
        coded = answer.headers.get("content-encoding", "").strip().lower() not in ("", "identity")
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status not in _OK:
            raise _Failed(await self._refusal(answer, "" if coded else kind))
        if coded:
            raise self._foreign("an answer in a coding that the wall did not ask for", answer)
        if kind == _STREAM:
            self._start(answer, stream=True)
            await self._events(answer)
        elif kind == _JSON and self._method != "GET":
            body = await self._whole(answer, BODY_MAX)
            self._start(answer, stream=False)
            if body.strip() and not self._closed:
                self._receiver.event(Event(body))
        elif self._method == "GET" or not await self._is_empty(answer):
            raise self._foreign(f"{_KINDS.get(kind, 'something')} that is not MCP", answer)
        else:
            self._start(answer, stream=False)

    def _start(self, answer: Answer, *, stream: bool) -> None:
        headers = {
            name.lower(): value
            for name, value in answer.headers.items()
            if name.lower() == "content-type" or name.lower().startswith("mcp-")
        }
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise self._foreign("a header with characters that no header takes", answer)
        self._server.troubles.well(self._server.name)
        self._receiver.started(answer.status, headers, stream)

    async def _events(self, answer: Answer) -> None:
        if self._method == "GET":
            self._patience_s = None  # a stream that nobody asked anything of may be silent
        parser = Parser(EVENT_MAX)
        while chunk := await self._next(answer):
            try:
                items = parser.feed(chunk)
            except SseError as error:
                raise self._foreign(f"a stream that cannot be taken: {error}", answer) from None
            for item in items:
                if isinstance(item, Event) and not self._closed:
                    self._receiver.event(item)
            await self._flowing.wait()

    async def _whole(self, answer: Answer, limit: int) -> bytes:
        """The body. Raises _Failed when it is longer than `limit`."""
        parts, size = [], 0
        while chunk := await self._next(answer):
            size += len(chunk)
            if size > limit:
                raise self._foreign(f"an answer of more than {limit:,} bytes", answer)
            parts.append(chunk)
            await self._flowing.wait()
        return b"".join(parts)

    async def _is_empty(self, answer: Answer) -> bool:
        return not await self._next(answer)

    async def _refusal(self, answer: Answer, kind: str) -> Fault:
        """What an answer without success means; its body only if it calls itself JSON."""
        body = b""
        if kind == _JSON:
            try:
                body = await self._whole(answer, ERROR_MAX)
            except (_Failed, ConnectionFault):
                body = b""  # the status alone says enough
        retry_s = faults.retry_after(answer.headers.get("retry-after", ""), time.time())
        advice = faults.advice(
            self._server.name,
            answer.status,
            answer.headers.get("www-authenticate", ""),
            oauth=self._server.config.oauth is not None,
        )
        place = self._server.place
        return faults.status(place, answer.status, body=body, retry_s=retry_s, advice=advice)

    def _foreign(self, what: str, answer: Answer) -> _Failed:
        return _Failed(faults.foreign(self._server.place, what, ran=self._acts, code=answer.status))

    async def _next(self, answer: Answer) -> bytes:
        """The next bytes of an answer, b"" at its end. Raises _Failed, ConnectionFault."""
        chunk = answer.here()
        return await self._patiently(answer.read()) if chunk is None else chunk

    async def _patiently(self, coming: Awaitable[_T]) -> _T:
        """Wait as long as the config permits. Raises _Failed."""
        if self._patience_s is None:
            return await coming
        try:
            async with asyncio.timeout(self._patience_s):
                return await coming
        except TimeoutError:
            raise _Failed(
                faults.silent(self._server.place, self._patience_s, ran=self._acts)
            ) from None


_KINDS: Final = {
    "": "something without a type",
    "text/html": "a web page",
    "text/plain": "a text",
}
