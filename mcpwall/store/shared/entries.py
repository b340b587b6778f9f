"""An entry of the shared record: a call as it came, or what happened to one. Pure.

Each is a JSON object of its own, so that a store needs to know nothing of calls. Long arguments are
cut to their start, and what a verdict was made from is left out: the wall that judged the call has
all of it in its own record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from mcpwall.store.records import EXCERPT, AuditRow, Intent, Step
from mcpwall.store.rows import arrived, later
from mcpwall.store.shared.ledger import Wall


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry: `row` is a call on its arrival, `step` what happened to call `call` later."""

    wall: str
    who: str
    call: int
    row: AuditRow | None = None
    step: Step | None = None


class SharedRow(msgspec.Struct, frozen=True):
    """A call as the shared record has it, and whose wall it went through."""

    wall: str
    who: str
    row: AuditRow


LATEST_MS: Final = 7_000 * 366 * 86_400_000  # calendars end with the year 9999

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode


def of_call(wall: Wall, intent: Intent) -> bytes:
    """The entry of a call on its arrival."""
    row = msgspec.structs.replace(arrived(intent), grounds=None)
    if row.arguments is not None and len(row.arguments) > EXCERPT:
        row = msgspec.structs.replace(row, arguments=None, excerpt=row.arguments[:EXCERPT])
    return _encode(Entry(wall.id, wall.who, intent.call.id, row=row))


def of_step(wall: Wall, step: Step) -> bytes:
    """The entry of what happened to a call."""
    return _encode(Entry(wall.id, wall.who, step.call_id, step=step))


class Folder:
    """Puts the entries of one call together. Entries are given newest first, in any portions."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, int], list[Step]] = {}  # of calls that are still to come
        self._seen: set[tuple[str, int]] = set()

    def take(self, entries: Iterable[bytes]) -> Iterator[SharedRow]:
        """The calls that arrived with these entries, newest first, with all that came after.

        What is no entry is passed over, and a call that was entered twice is told once.
        """
        for text in entries:
            try:
                entry = _decode(text)
            except msgspec.MsgspecError:
                continue  # written by something else, or by a mcpwall to come
            about = (entry.wall, entry.call)
            if entry.step is not None:
                self._steps.setdefault(about, []).append(entry.step)
            elif entry.row is not None and about not in self._seen and _can_be_shown(entry.row):
                self._seen.add(about)
                row = entry.row
                for step in reversed(self._steps.pop(about, [])):
                    row = later(row, step)
                yield SharedRow(entry.wall, entry.who, row)


def _can_be_shown(row: AuditRow) -> bool:
    """Whether a wall would write such a row: others may write to the store what they like."""
    try:
        texts = [text for text in (row.arguments, row.edited) if text is not None]
        objects = all(isinstance(json.loads(text), dict) for text in texts)
    except (ValueError, RecursionError):
        return False
    return objects and 0 <= row.at_ms <= LATEST_MS
