"""All agents of this user and this project: their files, and which servers the wall guards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mcpwall.clients import document
from mcpwall.clients.agents import AGENTS, Agent, Place
from mcpwall.clients.entries import Entry, entries
from mcpwall.clients.places import Places


@dataclass(frozen=True, slots=True)
class Found:
    """A file of an agent that exists. `problem` says why it is left alone, without a document."""

    agent: Agent
    place: Place
    document: document.Document | None = None
    problem: str = ""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The servers in it."""
        if self.document is None:
            return ()
        root = self.document.root
        return tuple(e for keys in self.place.keys for e in entries(self.agent, root, keys))


@dataclass(frozen=True, slots=True)
class Unguarded:
    """How many agents have servers, how many servers they have, and what passes no wall."""

    agents: int
    servers: int
    open_agents: int
    open_servers: int


def survey(places: Places, agents: Sequence[Agent] = AGENTS) -> Iterator[Found]:
    """Every file of these agents that exists, each once, in the order of the table."""
    seen = set()
    for agent in agents:
        for place in agent.places(places):
            key = (place.file.resolve(), place.keys)
            if key in seen:
                continue
            seen.add(key)
            try:
                read = document.read(place.file)
            except document.DocumentError as error:
                yield Found(agent, place, problem=str(error))
            else:
                if read is not None:
                    yield Found(agent, place, read)


def unguarded(found: Iterable[Found]) -> Unguarded:
    """How much of what was found is not behind the wall. Pure."""
    everything = [(one.agent.id, entry.routed is None) for one in found for entry in one.entries]
    bare = [agent for agent, is_open in everything if is_open]
    return Unguarded(len({a for a, _ in everything}), len(everything), len(set(bare)), len(bare))
