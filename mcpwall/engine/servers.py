"""One server over all its sessions: what each of its tools is pinned as, and what it says now.

Trust on first use: what a server lists before its first list is complete is pinned as it is. What
comes later, or comes back different, waits for a person. Nothing here does I/O.
"""

from __future__ import annotations

import enum
import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from mcpwall.engine.catalog import Catalog
from mcpwall.engine.life import Life
from mcpwall.engine.port_tools import Pin, ToolRow
from mcpwall.store.tools import ServerEntry, ToolEntry

ENTRIES_MAX: Final = 20_000  # tools of one server that are remembered
SAID_MAX: Final = 20  # lines of its stderr that apps are shown
SAID_CHARS: Final = 300  # of one such line
TEXT_MAX: Final = 256 * 1024  # bytes of a definition that is kept to be shown


class What(enum.StrEnum):
    """What became of an entry."""

    SEEN = "first seen"
    NEW = "new"
    CHANGED = "changed"
    DOUBLED = "doubled"
    BACK = "as pinned again"
    ACCEPTED = "accepted"
    FORGOTTEN = "forgotten"  # the server, with all that was known of it


class Event(NamedTuple):
    """Something that happened to a tool, or with the name "" to a server's instructions."""

    what: What
    entry: ToolEntry
    before: bytes = b""  # the text that was pinned


class Server:
    """One server by its configured name. `entries` are by tool name, "" the instructions'."""

    def __init__(self, stored: ServerEntry) -> None:
        self.stored = stored
        self.name = stored.name
        self.calls = 0  # since the engine started
        self.life = Life()
        self.said: deque[str] = deque(maxlen=SAID_MAX)  # on stderr, last; foreign text
        self.entries: dict[str, ToolEntry] = {}
        self.catalogs: set[Catalog] = set()  # of its sessions
        self.rows: dict[str, ToolRow] = {}  # as shown last, until something in them changes
        self.rows_for: object = None  # the rules and settings that they were made for

    @property
    def sessions(self) -> int:
        """How many sessions it has now."""
        return len(self.catalogs)

    def says(self, lines: Sequence[str]) -> None:
        """Lines that it has said on stderr; the last ones are kept, cut."""
        self.said.extend(line[:SAID_CHARS] for line in lines if line.strip())

    def listed(self, catalog: Catalog, name: str, text: bytes, now_ms: int) -> Event | None:
        """A session's server has listed a tool, or told its instructions (name ""): what is new."""
        fingerprint = catalog.fingerprint(name) or ""
        entry = self.entries.get(name)
        if entry is None:
            return self._first(name, fingerprint, text, now_ms)
        if entry.gone:
            entry.gone = False
            self.rows.pop(name, None)
        if fingerprint == entry.listed:
            return None
        if fingerprint and fingerprint == entry.pinned and self._awaited(entry, catalog):
            return None  # another session lists what a person has yet to look at
        entry.listed, entry.listed_text = fingerprint, _kept(text)
        self.rows.pop(name, None)
        return Event(_what(entry), entry, entry.pinned_text)

    def list_ended(self) -> list[ToolEntry]:
        """A whole list has been seen: what no session lists any more is gone. -> what changed"""
        changed = []
        for name, entry in self.entries.items():
            gone = bool(name) and all(each.fingerprint(name) is None for each in self.catalogs)
            if gone != entry.gone:
                entry.gone = gone
                self.rows.pop(name, None)
                changed.append(entry)
        self.stored.complete = True
        return changed

    def accept(self, entry: ToolEntry) -> None:
        """Pin what is listed now."""
        entry.pinned, entry.pinned_text = entry.listed, entry.listed_text
        self.rows.pop(entry.name, None)

    def as_pinned(self, name: str, fingerprint: str, text: bytes) -> bytes | None:
        """What agents may read of a tool that is listed so: the text that is pinned, None for none.

        Before the first list has ended, what nothing is known of yet may be read as it is.
        """
        entry = self.entries.get(name)
        if entry is None:
            return None if self.stored.complete else text
        return text if fingerprint and fingerprint == entry.pinned else entry.pinned_text or None

    @property
    def waits(self) -> bool:
        """Whether something that it says has not been accepted."""
        return any(not e.gone and e.listed != e.pinned for e in self.entries.values())

    @property
    def hash(self) -> str:
        """A name for all that the server says now."""
        said = sorted((e.name, e.listed) for e in self.entries.values() if not e.gone)
        return hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()

    def _first(self, name: str, fingerprint: str, text: bytes, now_ms: int) -> Event | None:
        if name and len(self.entries) >= ENTRIES_MAX:
            return None  # it stays without a pin, and so cannot be called
        entry = ToolEntry(self.name, name, now_ms, listed=fingerprint, listed_text=_kept(text))
        self.entries[name] = entry
        if not self.stored.complete or not name:
            self.accept(entry)
        what = What.SEEN if entry.pinned else _what(entry)
        return Event(what, entry)

    def _awaited(self, entry: ToolEntry, catalog: Catalog) -> bool:
        """Whether what waits for a person is listed in another session."""
        others = (each for each in self.catalogs if each is not catalog)
        return any(each.fingerprint(entry.name) == entry.listed for each in others)


def pin_of(entry: ToolEntry) -> Pin:
    """How what a server says now stands to what is pinned."""
    if entry.gone:
        return Pin.GONE
    if not entry.listed:
        return Pin.DOUBLED
    if entry.listed == entry.pinned:
        return Pin.PINNED
    return Pin.CHANGED if entry.pinned else Pin.NEW


def _what(entry: ToolEntry) -> What:
    told = {Pin.DOUBLED: What.DOUBLED, Pin.PINNED: What.BACK, Pin.CHANGED: What.CHANGED}
    return told.get(pin_of(entry), What.NEW)


def _kept(text: bytes) -> bytes:
    return text if len(text) <= TEXT_MAX else b""
