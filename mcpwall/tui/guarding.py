"""What the app may see and do of agents' own config files: values, and who answers for them.

The app reads and writes no file. Whoever starts it hands in an `Agents`; its methods read and write
files, so they are called in a thread. Text in these values is foreign and raw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class GuardingError(Exception):
    """Agents' files cannot be read or written; the text says what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class AgentFile:
    """A config file of an agent: how many servers are in it, and how many pass the wall.

    `unguarded` are those that could be routed, `left` those that cannot. `command` starts one of
    them behind the wall, to be pasted; none where a word of it might be a secret. `details` are
    lines about its servers; `problem` says why the whole file is left alone.
    """

    path: str  # as a person writes it
    agent: str
    servers: int = 0
    guarded: int = 0
    unguarded: int = 0
    left: int = 0
    command: str = ""
    details: Sequence[str] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What guarding a file's servers would change, to the line.

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

    def offer(self, file: AgentFile) -> Offer:
        """What would guard the servers of a file. Raises GuardingError."""
        ...


class NoAgents:
    """Where there is nobody to ask."""

    def files(self) -> Sequence[AgentFile]:
        """None."""
        return ()

    def offer(self, file: AgentFile) -> Offer:
        """Never possible."""
        raise GuardingError(f"{file.path}: nothing can be guarded from here")
