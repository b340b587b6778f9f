"""Putting back what `init` changed in one file, and leaving what the person changed since. Pure."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from mcpwall.clients import route
from mcpwall.clients.agents import BY_ID
from mcpwall.clients.document import Document, DocumentError, digest
from mcpwall.clients.entries import Entry, find
from mcpwall.clients.ledger import Record
from mcpwall.clients.nodes import Splice, spliced


class How(enum.StrEnum):
    """What became of an entry."""

    RESTORED = "as it was"
    UNWRAPPED = "taken off the wall, with the edits made since"
    OWN = "not routed any more; left as it is"
    GONE = "not in the file any more"
    LEFT = "edited since in a way that cannot be undone safely; left as it is"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the entry of a record."""

    record: Record
    how: How


def put_back(document: Document, records: Sequence[Record]) -> tuple[Document, list[Outcome]]:
    """The document without the wall in front of these entries, and what became of each."""
    made: list[Splice] = []
    outcomes = []
    for record in records:
        entry = _find(document, record)
        splices, how = _undone(document, record, entry)
        made += splices
        outcomes.append(Outcome(record, how))
    after = document.changed(spliced(document.text, made)) if made else document
    return after, outcomes


def _find(document: Document, record: Record) -> Entry | None:
    agent = BY_ID.get(record.agent)
    return find(document.root, agent, record.keys, record.name) if agent is not None else None


def _undone(document: Document, record: Record, entry: Entry | None) -> tuple[list[Splice], How]:
    if entry is None:
        return [], How.GONE
    if entry.routed is None:
        return [], How.OWN
    text = document.text[entry.node.start : entry.node.end]
    if digest(text) == record.after:
        return _exactly(entry, record), How.RESTORED
    for splices in (_where_they_stand(text, entry, record), route.unrouting(document, entry)):
        if splices and _takes_the_wall_away(document, record, splices):
            return splices, How.UNWRAPPED
    return [], How.LEFT


def _exactly(entry: Entry, record: Record) -> list[Splice]:
    start = entry.node.start
    return [
        Splice(start + piece.at, start + piece.at + len(piece.after), piece.before)
        for piece in record.pieces
    ]


def _where_they_stand(text: str, entry: Entry, record: Record) -> list[Splice]:
    """Each piece that was put in, found again by its text; none unless all are, and once each."""
    splices = []
    for piece in record.pieces:
        if not piece.after or text.count(piece.after) != 1:
            return []
        at = entry.node.start + text.index(piece.after)
        splices.append(Splice(at, at + len(piece.after), piece.before))
    return splices


def _takes_the_wall_away(document: Document, record: Record, splices: list[Splice]) -> bool:
    try:
        after = document.changed(spliced(document.text, splices))
    except DocumentError:
        return False
    entry = _find(after, record)
    return entry is not None and entry.routed is None and bool(entry.words or entry.url)
