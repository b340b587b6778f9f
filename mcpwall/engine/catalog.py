"""What a server has said of its tools in one session, and how that stands to the pins.

Each session is judged by its own catalog: two sessions may talk to two versions of one server, and
only the one that lists what is pinned may call it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.model import Tool
from mcpwall.policy.set_risk import NOTHING, Word
from mcpwall.policy.state import LISTED, ToolState

if TYPE_CHECKING:
    from mcpwall.engine.servers import Server


class Catalog:
    """The list so far. `tools` are by exact name; `instructions` is a fingerprint, '' unknown."""

    def __init__(self, server: Server, instructions: str) -> None:
        self.tools: dict[str, Tool] = {}
        self.instructions = instructions
        self._server = server
        self._word = NOTHING
        self._found: dict[str, Tool] = {}  # with the classes of risk that the wall found
        self._prints: dict[str, str] = {}  # '': listed with two meanings

    def as_found(self, name: str) -> Tool | None:
        """A listed tool with the class that the wall found, whatever a person says."""
        return self._found.get(name)

    def start(self) -> None:
        """Another list begins; the one before says nothing any more."""
        self.tools, self._found = {}, {}
        self._prints = {}

    def weigh(self, word: Word) -> None:
        """Take over the classes of risk that a person gives these tools."""
        if word != self._word:
            self._word = word
            self.tools = {name: word.on(tool) for name, tool in self._found.items()}

    def add(self, tool: Tool, fingerprint: str) -> None:
        """Take a definition, its class as found; one listed otherwise before has two meanings."""
        if self._prints.get(tool.name, fingerprint) != fingerprint:
            fingerprint = ""
        self._prints[tool.name] = fingerprint
        self._found[tool.name] = tool
        self.tools[tool.name] = self._word.on(tool)

    def fingerprint(self, name: str) -> str | None:
        """What is listed under a name ('': two meanings), or None. "" names the instructions."""
        return self._prints.get(name) if name else self.instructions or None

    @property
    def told_otherwise(self) -> bool:
        """Whether the server's instructions are not those that are pinned."""
        told = self._server.entries.get("")
        return told is not None and bool(self.instructions) and self.instructions != told.pinned

    def is_pinned(self, name: str) -> bool:
        """Whether a tool is listed in this session as it is pinned."""
        entry = self._server.entries.get(name)
        return entry is not None and bool(entry.pinned) and entry.pinned == self._prints.get(name)

    def state(self, name: str) -> ToolState:
        """Whether a tool may be called in this session."""
        listed = self._prints.get(name)
        if listed is None:
            return ToolState.UNLISTED
        if not listed:
            return ToolState.DOUBLED
        if self.told_otherwise:
            return ToolState.SERVER_CHANGED
        if self.is_pinned(name):
            return LISTED
        entry = self._server.entries.get(name)
        return ToolState.CHANGED if entry is not None and entry.pinned else ToolState.NEW
