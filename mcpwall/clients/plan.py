"""What `init` would do to one file: which entries are routed, under which names, and the new text.

Nothing is written before it is proved: the new text has to parse, the routed entries must start
the wall with the very command that was there, everything else must say the same, and taking the
changes back must give the old text, byte for byte. Pure.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mcpwall.clients import ledger, route, undo
from mcpwall.clients.document import Document, DocumentError, digest
from mcpwall.clients.entries import Entry, find
from mcpwall.clients.nodes import Splice, spliced


@dataclass(frozen=True, slots=True)
class Routing:
    """An entry that is to go through the wall, under this name."""

    entry: Entry
    server: str
    timeout_s: int = 0  # let the agent wait so long for its tools; 0: as it does


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after, and what the ledger has to know."""

    before: Document
    after: Document
    records: tuple[ledger.Record, ...]


def change(document: Document, routings: Sequence[Routing], wall: Sequence[str], at: str) -> Change:
    """Route entries of one document. `wall` are the words that start it, `at` is the time.

    Raises DocumentError when the file is written in a way in which that cannot be done safely.
    """
    made = []
    for routing in routings:
        words = (*wall, "stdio", routing.server)
        made += route.routing(document, routing.entry, words)
        if routing.timeout_s:
            made += route.raising(document, routing.entry, routing.timeout_s)
    try:
        after = document.changed(spliced(document.text, made))
    except DocumentError as error:
        raise _unsafe(document) from error
    records = tuple(_record(document, after, routing, made, at) for routing in routings)
    _prove(document, after, routings, records)
    return Change(document, after, records)


def _record(
    before: Document, after: Document, routing: Routing, made: Iterable[Splice], at: str
) -> ledger.Record:
    old = routing.entry
    new = find(after.root, old.agent, old.keys, old.name)
    if new is None:
        raise _unsafe(before)
    pieces, moved = [], 0
    for splice in sorted(made):
        if old.node.start <= splice.start and splice.end <= old.node.end:
            was = before.text[splice.start : splice.end]
            pieces.append(ledger.Piece(splice.start + moved - new.node.start, was, splice.text))
        moved += len(splice.text) - (splice.end - splice.start)
    return ledger.Record(
        str(before.path),
        old.agent.id,
        old.keys,
        old.name,
        routing.server,
        at,
        digest(before.text[old.node.start : old.node.end]),
        digest(after.text[new.node.start : new.node.end]),
        tuple(pieces),
    )


def _prove(
    before: Document,
    after: Document,
    routings: Sequence[Routing],
    records: Sequence[ledger.Record],
) -> None:
    """Raise DocumentError unless the change does what it is to do, and nothing else."""
    for routing in routings:
        old = routing.entry
        new = find(after.root, old.agent, old.keys, old.name)
        routed = new.routed if new is not None else None
        if new is None or routed is None or routed.name != routing.server:
            raise _unsafe(before)
        if routed.command != old.words or new.environment != old.environment:
            raise _unsafe(before)
    if repr(_rest(before, routings)) != repr(_rest(after, routings)):
        raise _unsafe(before)
    back, outcomes = undo.put_back(after, records)
    if back.text != before.text or any(o.how != undo.How.RESTORED for o in outcomes):
        raise _unsafe(before)


def _rest(document: Document, routings: Sequence[Routing]) -> Any:
    """What a document says, without the entries that are routed."""
    rest = copy.deepcopy(document.root.value)
    for routing in routings:
        container = rest
        for key in routing.entry.keys:
            container = container[key]
        if isinstance(container, list):
            named = [one for one in container if isinstance(one, dict)]
            container.remove(next(one for one in named if one.get("name") == routing.entry.name))
        else:
            del container[routing.entry.name]
    return rest


def _unsafe(document: Document) -> DocumentError:
    return DocumentError(
        f"{document.path}: is written in a way in which it cannot be changed safely; route its "
        "servers by hand (docs/agents.md)"
    )
