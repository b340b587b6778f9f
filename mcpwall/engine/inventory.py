"""Every server that was seen, its tools and their pins, over restarts of the engine.

What is pinned is written before the tool can be called. A pin that cannot be written is none: the
tool waits for a person.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine.catalog import Catalog
from mcpwall.engine.servers import Event, Server, What
from mcpwall.model import JsonObject, Tool
from mcpwall.policy.risk import classify
from mcpwall.policy.set_risk import Word
from mcpwall.policy.traits import traits_of
from mcpwall.protocol import codec
from mcpwall.protocol.definitions import Definition, fingerprint
from mcpwall.store.tools import ServerEntry, ToolEntry, ToolsError, ToolStore

if TYPE_CHECKING:
    from mcpwall.engine.clock import Clock, Timer

READ_MAX: Final = 8_192  # definitions whose fingerprint and risk are remembered
READ_BYTES_MAX: Final = 16 * 1024 * 1024  # and their text, together
AGAIN_S: Final = 1.0  # until the next try to write what could not be written
COUNTS_S: Final = 5.0  # how late calls and last uses are written


class Inventory:
    """All servers by name. `notice(level, text)` tells the apps of trouble."""

    def __init__(self, store: ToolStore, clock: Clock, notice: Callable[[str, str], None]) -> None:
        """Take up what an engine before this one knew. Raises ToolsError."""
        self._store = store
        self._clock = clock
        self._notice = notice
        self._read: OrderedDict[tuple[str, bool, int, bytes], tuple[Tool, str]] = OrderedDict()
        self._read_bytes = 0
        self._used: dict[tuple[str, str], ToolEntry] = {}  # counts that are not written yet
        self._writing: Timer | None = None
        self._broken = False  # the store could not be written when it was tried last
        self.servers = {entry.name: Server(entry) for entry in store.servers()}
        for entry in store.tools():
            if entry.server in self.servers:
                self.servers[entry.server].entries[entry.name] = entry

    def server(self, name: str, transport: str) -> Server:
        """The server of this name, made known if it is new."""
        server = self.servers.get(name)
        if server is None:
            server = self.servers[name] = Server(ServerEntry(name, self._clock.wall_ms()))
        server.stored.transport = transport
        return server

    # --- what servers say -----------------------------------------------------------------------

    def tool(self, entry: ToolEntry, word: Word) -> Tool:
        """A tool as it was listed last, with its risk; `word` is the person's on this server."""
        fields = codec.object_of(msgspec.Raw(entry.listed_text))
        if not fields:  # too large to keep
            return word.on(Tool(entry.server, entry.name))
        return word.on(self._known(entry.server, entry.listed_text, fields, word)[0])

    def read(self, server: str, definition: Definition, word: Word) -> tuple[Tool, str]:
        """A tool as a server defines it, with its risk; and its fingerprint, '' for none."""
        tool, fingerprint = self._known(server, definition.raw, definition.fields, word)
        return word.on(tool), fingerprint

    def take(
        self,
        server: Server,
        catalog: Catalog,
        definitions: Sequence[Definition],
        *,
        last: bool,
        word: Word,
    ) -> list[Event]:
        """A page of a session's list, the `last` one or not; what is new in it is kept."""
        catalog.weigh(word)
        texts: dict[str, bytes] = {}
        for definition in definitions:
            raw = definition.raw
            catalog.add(*self._known(server.name, raw, definition.fields, word))
            texts[definition.name] = raw
        now_ms = self._clock.wall_ms()
        found = (server.listed(catalog, name, text, now_ms) for name, text in texts.items())
        events = [event for event in found if event is not None]
        first_list = last and not server.stored.complete
        gone = server.list_ended() if last else []
        if events or gone or first_list:
            self._keep(server, events, gone)
        return events

    def describe(self, server: Server, catalog: Catalog, instructions: str) -> list[Event]:
        """A session's server has told its instructions ("" for none)."""
        text = codec.encode({"instructions": instructions})
        catalog.instructions = fingerprint(text)
        event = server.listed(catalog, "", text, self._clock.wall_ms())
        if event is None:
            return []
        self._keep(server, [event])
        return [event]

    def accept(self, server: Server, entries: Sequence[ToolEntry], *, looked: bool) -> list[Event]:
        """Pin what these say now; `looked`: a person has looked at the server as a whole.

        Raises ToolsError when that cannot be written; nothing is accepted then.
        """
        before = [(entry.pinned, entry.pinned_text) for entry in entries]
        for entry in entries:
            server.accept(entry)
        had, server.stored.looked = server.stored.looked, server.stored.looked or looked
        try:
            self._store.save([server.stored], entries)
        except ToolsError:
            server.stored.looked = had
            for entry, (entry.pinned, entry.pinned_text) in zip(entries, before, strict=True):
                server.rows.pop(entry.name, None)
            raise
        return [
            Event(What.ACCEPTED, entry, text)
            for entry, (_, text) in zip(entries, before, strict=True)
        ]

    def forget(self, server: Server) -> None:
        """Know nothing of a server any more. Raises ToolsError: then all is as it was."""
        self._store.forget(server.name)
        del self.servers[server.name]
        self._used = {key: entry for key, entry in self._used.items() if key[0] != server.name}

    def _keep(
        self, server: Server, events: Sequence[Event], others: Sequence[ToolEntry] = ()
    ) -> None:
        if self.servers.get(server.name) is not server:
            return  # it was forgotten meanwhile: nothing of it comes back
        try:
            self._store.save([server.stored], [*(event.entry for event in events), *others])
        except ToolsError as error:
            seen = [event.entry for event in events if event.what is What.SEEN]
            for entry in seen:
                entry.pinned = ""
                server.rows.pop(entry.name, None)
            if not self._broken:
                self._broken = True
                self._notice("error", f"new tools cannot be called: {error}")
            first = [(entry, entry.listed) for entry in seen]
            self._clock.call_later(AGAIN_S, lambda: self._keep_again(server, first, others))
        else:
            self._broken = False

    def _keep_again(
        self,
        server: Server,
        first: Sequence[tuple[ToolEntry, str]],
        others: Sequence[ToolEntry],
    ) -> None:
        """Try once more to write pins of first sight, where nothing else was listed since."""
        events = []
        for entry, listed in first:
            if not entry.pinned and entry.listed == listed:
                server.accept(entry)
                events.append(Event(What.SEEN, entry))
        self._keep(server, events, others)

    def _known(self, server: str, raw: bytes, fields: JsonObject, word: Word) -> tuple[Tool, str]:
        """A definition's tool as found, and its fingerprint; '' when it has two readings."""
        key = (server, word.trusted, len(raw), hashlib.sha256(raw).digest())
        known = self._read.get(key)
        if known is None:
            try:
                exact = fingerprint(raw)
            except ValueError:
                exact = ""
            known = self._read[key] = tool_of(server, fields, trusted=word.trusted), exact
            self._read_bytes += len(raw)
            while len(self._read) > READ_MAX or self._read_bytes > READ_BYTES_MAX:
                (_, _, size, _), _ = self._read.popitem(last=False)
                self._read_bytes -= size
        return known

    # --- what is called -------------------------------------------------------------------------

    def called(self, server: Server, tool: str, at_ms: int) -> None:
        """A call of a tool has gone to its server."""
        server.calls += 1
        entry = server.entries.get(tool) if tool else None
        if entry is None:
            return
        entry.calls += 1
        entry.last_ms = at_ms
        server.rows.pop(tool, None)
        self._used[server.name, tool] = entry
        if self._writing is None:
            self._writing = self._clock.call_later(COUNTS_S, self.write_counts)

    def write_counts(self) -> None:
        """Write what was counted; what cannot be written is tried again."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        used, self._used = self._used, {}
        if not used:
            return
        try:
            self._store.save([], used.values())
        except ToolsError:  # whoever cannot write a pin says so; a count is not worth a word
            self._used = used | self._used
            self._writing = self._clock.call_later(COUNTS_S, self.write_counts)


def tool_of(server: str, definition: JsonObject, *, trusted: bool) -> Tool:
    """What the wall makes of a tool's definition; `trusted`: its hints may lower its risk."""

    def text(key: str) -> str:
        return value if isinstance(value := definition.get(key), str) else ""

    def table(key: str) -> JsonObject:
        return value if isinstance(value := definition.get(key), dict) else {}

    name, description = text("name"), text("description")
    schema, hints = table("inputSchema"), table("annotations")
    risk, why = classify(name, description, schema, hints, trusted=trusted)
    traits = traits_of(name, description, schema, hints, risk, trusted=trusted)
    return Tool(server, name, text("title"), description, schema, hints, risk, why, traits)
