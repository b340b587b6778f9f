"""The life of one server over its sessions: since when it is up, how it ended, what came again.

A server on pipes is a process for each session, which its agent starts; the wall starts none again.
So `up` goes by the oldest session that lives, and a restart is the next session of an agent whose
last one the server had ended by itself. Pure: times are handed in, in milliseconds since the epoch.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from mcpwall.engine import port_servers
from mcpwall.engine.port_servers import Ending

RESTARTS_MAX: Final = 100  # moments that are remembered
_FALLEN_MAX: Final = 1_000  # agents whose servers ended by themselves, and that have not come again


@dataclass(slots=True)
class _Session:
    since_ms: int
    agent_pid: int
    exit: int | None = None
    itself: bool = False


class Life:
    """One server's. Sessions are known by their ids."""

    def __init__(self) -> None:
        self._living: dict[str, _Session] = {}
        self._ended: Ending | None = None
        self._fell: Ending | None = None
        self._fallen: dict[int, None] = {}  # agents, oldest first; those by URL by their place
        self._restarts: deque[int] = deque(maxlen=RESTARTS_MAX)
        self._answered_ms = 0
        self._trouble = ""
        self._trouble_ms = 0

    def began(self, session: str, agent_pid: int, since_ms: int, *, fresh: bool) -> None:
        """A session has begun; or it goes on under another engine, and is not `fresh`."""
        self._living[session] = _Session(since_ms, agent_pid)
        if fresh and agent_pid in self._fallen:
            del self._fallen[agent_pid]
            self._restarts.append(since_ms)

    def exited(self, session: str, code: int | None, *, told: bool) -> None:
        """The process of a session has exited, which ends the session; `told`: it had been to.

        Of a session that is over already it says nothing new: that was the end of it.
        """
        if living := self._living.get(session):
            living.exit, living.itself = code, not told

    def ended(self, session: str, agent: str, why: str, at_ms: int) -> None:
        """A session is over."""
        living = self._living.pop(session)
        self._ended = Ending(at_ms, agent, why, living.exit, living.itself)
        if living.itself:
            self._fell = self._ended
            self._fallen[living.agent_pid] = None
            if len(self._fallen) > _FALLEN_MAX:
                del self._fallen[next(iter(self._fallen))]

    def reached(self, trouble: str, at_ms: int) -> bool:
        """A remote server has answered, or cannot be used; says whether that is news.

        `trouble` is why it cannot be used, "" where it answered.
        """
        news = trouble != self._trouble or not (trouble or self._answered_ms)
        if not trouble:
            self._answered_ms = at_ms
            self._trouble_ms = 0
        elif not self._trouble:
            self._trouble_ms = at_ms
        self._trouble = trouble
        return news

    def shown(self) -> port_servers.Life:
        """The same as an app sees it."""
        up_ms = min((session.since_ms for session in self._living.values()), default=0)
        return port_servers.Life(
            up_ms,
            self._ended,
            self._fell,
            tuple(self._restarts),
            self._answered_ms,
            self._trouble,
            self._trouble_ms,
        )
