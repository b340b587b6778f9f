"""The server's end of an HTTP session whose server is a child of the engine, and all of those."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mcpwall.model import RequestId
from mcpwall.store.schema import ServerConfig
from mcpwall.transport.child import Child
from mcpwall.transport.error_log import ErrorLog, log_path
from mcpwall.transport.http.stream import Stream

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.transport.http.session import HttpSession


LEAVE_S: Final = 3.0  # how long the engine waits for its servers when it ends
_GRACE_S: Final = 0.5  # from the end of a server's stdin to SIGTERM, when the engine ends


class Children:
    """The servers that the engine has started; what they say on stderr goes to files in `logs`."""

    def __init__(self, engine: Engine, logs: Path) -> None:
        self._engine = engine
        self._logs = logs
        self._running: set[ChildEnd] = set()

    def start(self, session: HttpSession, name: str, config: ServerConfig) -> ChildEnd:
        """Start a server for a session. Raises OSError."""
        end = ChildEnd(self._engine, session, name, config, self._logs)
        self._running.add(end)
        end.child.on_ended = lambda: self._running.discard(end)
        return end

    async def close(self) -> None:
        """Wait until all have ended; those that take too long are killed."""
        running = tuple(self._running)
        for end in running:
            end.child.stop(_GRACE_S)
        if running:
            waits = [asyncio.ensure_future(end.child.ended.wait()) for end in running]
            _, late = await asyncio.wait(waits, timeout=LEAVE_S)
            for wait in late:
                wait.cancel()


class ChildEnd:
    """Pipes to a process that belongs to this session alone."""

    numbered = True

    def __init__(
        self, engine: Engine, session: HttpSession, name: str, config: ServerConfig, logs: Path
    ) -> None:
        """Start the server. Raises OSError."""
        self._engine = engine
        self._session = session
        self.child = Child(
            engine.clock,
            config,
            ErrorLog(log_path(logs, name), self._hidden, self._said),
            on_lines=session.from_server,
            on_long=self._long,
            on_over=self._server_gone,
        )
        self.pid = self.child.pid

    @property
    def full(self) -> bool:
        """The server does not read what it was sent."""
        return self.child.full

    def send(self, line: bytes, about: RequestId | None) -> None:  # noqa: ARG002 - one way
        """Give a line; it goes out at the next flush."""
        self.child.send(line)

    def flush(self) -> None:
        """Send what was given."""
        self.child.flush()

    def pause(self) -> None:
        """An agent takes no more for now: read less."""
        self.child.pause()

    def resume(self) -> None:
        """Go on reading."""
        self.child.resume()

    def listen(self, stream: Stream, last_event_id: str) -> None:
        """Never asked: the session's own streams are numbered."""

    def gone(self, stream: Stream) -> None:
        """The server needs not know: what it answers is kept in the stream."""

    def close(self) -> None:
        """The session is over: so is its server."""
        self.child.stop()

    def _long(self, size: int) -> None:
        text = f"dropped a line of the server that is too long ({size:,} bytes)"
        self._session.live.server_dropped(text)

    def _hidden(self, line: str) -> str:
        return self._engine.mask.text(line)  # another one after each change of the config

    def _said(self, lines: list[str]) -> None:
        live = self._session.live
        live.server.says(lines)
        self._engine.counts.used(live)

    def _server_gone(self, why: str) -> None:
        live = self._session.live
        live.server.life.exited(live.id, self.child.exit, told=False)  # else the session is over
        self._session.end(why, f"{why} before it answered")
