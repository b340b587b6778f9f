"""All agents of this user and this project: their files, and which servers the wall guards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mcpwall.clients import document
from mcpwall.clients.agents import AGENTS, PROJECT, Agent, Place
from mcpwall.clients.entries import Entry, entries
from mcpwall.clients.places import Places


@dataclass(frozen=True, slots=True)
class Found:
    """A file of an agent that exists. `problem` says why it is left alone, without a document.

    `variables` are those of the environment here.
    """

    agent: Agent
    place: Place
    document: document.Document | None = None
    problem: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The servers in it."""
        if self.document is None:
            return ()
        root, places = self.document.root, self.place.keys
        found = (entry for keys in places for entry in entries(self.agent, root, keys))
        servers = (entry for entry in found if not self._is_setting(entry))
        return tuple(entry.as_seen_from(self.variables) for entry in servers)

    def _is_setting(self, entry: Entry) -> bool:
        """Whether it stands beside what holds servers, or is that, and is none itself."""
        size = len(entry.keys)
        beside = any(len(keys) > size and keys[:size] == entry.keys for keys in self.place.keys)
        return beside and entry.starts_nothing


def survey(places: Places) -> Iterator[Found]:
    """Every file of an agent that exists, each once, in the order of the table."""
    seen = set()
    for agent in AGENTS:
        for place in agent.places(places):
            key = (place.file.resolve(), place.keys)
            if key in seen:
                continue
            seen.add(key)
            try:
                foreign = place.scope == PROJECT
                limit_kib = document.PROJECT_KIB if foreign else document.MAX_KIB
                read = document.read(place.file, limit_kib)
            except document.DocumentError as error:
                yield Found(agent, place, problem=str(error))
            else:
                found = Found(agent, place, read, variables=places.variables)
                if read is not None and (found.entries or not place.aside):
                    yield found
