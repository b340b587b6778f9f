"""What the app may see and do of agents' own config files: values, and who answers for them.

The app reads and writes no file. Whoever starts it hands in an `Agents`; its methods read and write
files, so they are called in a thread. Text in these values is foreign and raw.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class GuardingError(Exception):
    """Agents' files cannot be read or written; the text says what is wrong, and what to do."""


class Stand(enum.Enum):
    """How a server in a file stands."""

    GUARDED = enum.auto()  # the agent reaches it through the wall
    OPEN = enum.auto()  # it can be guarded
    LEFT = enum.auto()  # it cannot


class AgentServer(msgspec.Struct, frozen=True):
    """One server in a file. `at` tells it from others of its name, `why` says how it stands.

    `command` starts it behind the wall, to be pasted; none where a word of it might be a secret.
    """

    name: str
    at: tuple[str, ...]
    stand: Stand
    why: str
    command: str = ""


class AgentFile(msgspec.Struct, frozen=True):
    """A config file of an agent. `note` is worth knowing before one changes it.

    `problem` says why the whole file is left alone; then no servers are known.
    """

    path: str  # as a person writes it
    agent: str
    servers: tuple[AgentServer, ...] = ()
    note: str = ""
    problem: str = ""

    def count(self, stand: Stand) -> int:
        """How many of its servers stand so."""
        return sum(server.stand is stand for server in self.servers)

    @property
    def command(self) -> str:
        """A command of a server that is not guarded, to be pasted; '' where none can be shown."""
        unguarded = (server for server in self.servers if server.stand is Stand.OPEN)
        return next((server.command for server in unguarded if server.command), "")


class Offer(msgspec.Struct, frozen=True):
    """What guarding servers of a file would change, to the line.

    `write` makes that very change and gives lines that say what to do next. It raises
    GuardingError; then the file is as it was.
    """

    diff: Sequence[str]
    write: Callable[[], Sequence[str]]


class Agents(Protocol):
    """The agents of this user, and of the project in which the app was started."""

    def files(self) -> Sequence[AgentFile]:
        """Every config file of an agent that there is."""
        ...

    def offer(self, file: AgentFile, server: AgentServer | None) -> Offer:
        """What would guard a server of a file, or all that can be. Raises GuardingError."""
        ...


class NoAgents:
    """Where there is nobody to ask."""

    def files(self) -> Sequence[AgentFile]:
        """None."""
        return ()

    def offer(self, file: AgentFile, server: AgentServer | None) -> Offer:
        """Never possible."""
        del server
        raise GuardingError(f"{file.path}: nothing can be guarded from here")
