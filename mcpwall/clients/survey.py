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
class Guarded:
    """How many servers of how many agents there are, and where the wall is missing.

    `open_` are those that `mcpwall init` would route, `left` those that it cannot.
    """

    agents: int
    servers: int
    open_agents: int
    open_servers: int
    left: int


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


def guarded(found: Iterable[Found]) -> Guarded:
    """How much of what was found is behind the wall. Pure."""
    everything = [(one.agent.id, entry) for one in found for entry in one.entries]
    bare = [(agent, entry) for agent, entry in everything if entry.routed is None]
    routable = [agent for agent, entry in bare if not entry.why_not]
    return Guarded(
        agents=len({agent for agent, _ in everything}),
        servers=len(everything),
        open_agents=len(set(routable)),
        open_servers=len(routable),
        left=len(bare) - len(routable),
    )
