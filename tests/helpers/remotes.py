"""A door to remote servers for tests, and a receiver that notes what it is told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from mcpwall.store.config import load_text
from mcpwall.store.logins import Logins
from mcpwall.store.remotes import RemoteConfig
from mcpwall.transport.http.remote import Fault, Sending, Upstream
from mcpwall.transport.http.sse import Event
from mcpwall.transport.http.upstream import Remotes


class Told:
    """What came of one request."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.stream = False
        self.events: list[Event] = []
        self.fault: Fault | None = None
        self.came = asyncio.Event()  # an event came
        self.over = asyncio.Event()
        self.begun = asyncio.Event()

    def started(self, status: int, headers: Mapping[str, str], stream: bool) -> None:
        assert not self.begun.is_set()
        self.status, self.headers, self.stream = status, headers, stream
        self.begun.set()

    def event(self, event: Event) -> None:
        assert self.begun.is_set()
        assert not self.over.is_set()
        self.events.append(event)
        self.came.set()

    def ended(self, fault: Fault | None) -> None:
        assert not self.over.is_set()
        self.fault = fault
        self.over.set()


class Door:
    """`Remotes`, and what it told the person and of the server."""

    def __init__(self, logins: Logins) -> None:
        self.notices: list[tuple[str, str]] = []
        self.reached: list[tuple[str, str]] = []
        self.remotes = Remotes(
            lambda level, text: self.notices.append((level, text)),
            lambda server, trouble: self.reached.append((server, trouble)),
            logins,
        )

    def upstream(self, url: str, keys: str = "", **environment: str) -> Upstream:
        """A server named `far`, with these keys in its table."""
        return self.remotes.upstream("far", remote(url, keys), environment)


def remote(url: str, keys: str = "") -> RemoteConfig:
    config = load_text(f'[servers.far]\nurl = "{url}"\n{keys}', "config.toml").servers["far"]
    assert isinstance(config, RemoteConfig)
    return config


@contextlib.asynccontextmanager
async def door(logins: Logins | None = None) -> AsyncIterator[Door]:
    opened = Door(logins or Logins("/nowhere"))
    try:
        yield opened
    finally:
        await opened.remotes.close()


def begin(
    upstream: Upstream,
    method: str = "POST",
    body: bytes | None = b"{}",
    headers: Mapping[str, str] | None = None,
) -> tuple[Sending, Told]:
    told = Told()
    return upstream.send(method, None if method != "POST" else body, headers or {}, told), told


async def ask(
    upstream: Upstream,
    method: str = "POST",
    body: bytes | None = b"{}",
    headers: Mapping[str, str] | None = None,
) -> Told:
    """Send a request and wait for its end."""
    _, told = begin(upstream, method, body, headers)
    await told.over.wait()
    return told
