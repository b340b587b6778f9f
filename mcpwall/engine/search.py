"""Searching the whole record for an app: a piece at a time, in a thread, beside the calls.

The thread reads over a connection of its own and lets the loop go first after every few rows, so a
search makes no call wait for more than a fraction of a millisecond.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from mcpwall.engine import restore
from mcpwall.engine.port import Refused, Reply
from mcpwall.engine.port_calls import Found, Row, Search
from mcpwall.query import Query, QueryError, parse
from mcpwall.store.faults import AuditError
from mcpwall.store.reader import Reader

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine

LOOKED_AT: Final = 5_000  # rows in one piece
FOUND: Final = 100  # matches in one piece
_AT_ONCE: Final = 20  # rows between two breaths
_BREATH_S: Final = 0.0005


async def search(engine: Engine, command: Search) -> Reply:
    """The newest calls that match, from `command.before` on back."""
    try:
        query = parse(command.text) if command.text.strip() else None
    except QueryError as error:
        return Refused(str(error))
    engine.recorder.file()  # what was recorded this very moment is found too
    path = engine.recorder.intake.audit.path
    try:
        return await asyncio.to_thread(_look, path, query, command.before, engine.clock.wall_ms())
    except AuditError as error:
        return Refused(str(error))


def _look(path: str, query: Query | None, before: int, now_ms: int) -> Found:
    found: list[Row] = []
    looked, at_ms = 0, now_ms
    with Reader.reader(path) as reader:
        while looked < LOOKED_AT and len(found) < FOUND:
            page = reader.recent(_AT_ONCE, before or None)
            for row in page:
                before, at_ms, looked = row.id, row.at_ms, looked + 1
                if query is None or query.matches(row, now_ms):
                    found.append(restore.as_record(row).row())
                if len(found) == FOUND:
                    break
            else:
                if len(page) < _AT_ONCE:
                    return Found(tuple(found), 0, at_ms, looked)
            time.sleep(_BREATH_S)
    return Found(tuple(found), before, at_ms, looked)
