"""The chain over the audit's rows, and the heads that are noted beside it.

Every row carries SHA-256(chain of the row before + name of its table + its columns as a compact
JSON array, without the chain itself); `seq` numbers the rows of all tables without a gap. So a
row that was edited, taken out, put in or moved no longer fits, and `verify` names it. Columns
that later versions added at the end count up to the last one that is filled: older rows were hashed
without them.

What it cannot show: the hash has no key, so whoever may write to the file can also compute the
whole chain anew from the row they changed, or cut off its end. Heads answer that as far as it can
be answered: now and then a line with the last row's number and chain is appended to a file of its
own, `audit.heads`. A record that was cut or computed anew does not agree with a head noted before.
Rows newer than the last head can still be cut off unseen; and a head only counts where the writer
of the record cannot reach it, so copy the file to another account or machine and give that copy to
`mcpwall audit verify --heads`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mcpwall.store.rows import CALL_COLUMNS, FIRST_COLUMNS, STEP_COLUMNS
from mcpwall.store.tool_events import EVENT_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

GENESIS = bytes(32)
_TABLES = (  # name, key, hashed columns
    ("steps", "seq", STEP_COLUMNS),
    ("calls", "id", CALL_COLUMNS),
    ("tool_events", "seq", EVENT_COLUMNS),
)

_encode = msgspec.json.Encoder().encode
_sha256 = hashlib.sha256


def link(previous: bytes, table: bytes, values: tuple[Any, ...]) -> bytes:
    """The chain of a row of `table` (`b"calls"`, …) after a row with chain `previous`."""
    if values[-1] is None:
        values = _filled(values, FIRST_COLUMNS[table])
    return _sha256(previous + table + _encode(values)).digest()


def _filled(values: tuple[Any, ...], first: int) -> tuple[Any, ...]:
    """The values without empty ones at the end, in columns that the first version did not have."""
    filled = len(values)
    while filled > first and values[filled - 1] is None:
        filled -= 1
    return values[:filled]


class Head(NamedTuple):
    """The record up to row `seq`, whose chain is `chain`; every call up to `settled` had ended."""

    seq: int
    chain: bytes
    settled: int = 0


class Heads(NamedTuple):
    """The lines of a heads file: those that can be read, and the numbers of those that cannot."""

    heads: tuple[Head, ...] = ()
    unreadable: tuple[int, ...] = ()


def heads_file(audit: str) -> str:
    """The heads of the audit at path `audit`."""
    return str(Path(audit).with_suffix(".heads"))


def append_head(path: str, head: Head) -> None:
    """Add a line to a heads file, making it with mode 0600. Raises OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        line = f"{head.seq} {head.chain.hex()} {head.settled}\n"
        os.write(descriptor, (b"\n" if torn else b"") + line.encode())
    finally:
        os.close(descriptor)


def read_heads(path: str) -> Heads:
    """All heads of a file; none when there is no such file. Raises OSError."""
    try:
        lines = Path(path).read_bytes().splitlines()
    except FileNotFoundError:
        return Heads()
    heads, unreadable = [], []
    for number, line in enumerate(lines, 1):
        try:
            seq, chain, settled = line.decode("ascii").split(" ")
            heads.append(Head(int(seq), bytes.fromhex(chain), int(settled)))
        except ValueError:
            unreadable.append(number)
    return Heads(tuple(heads), tuple(unreadable))


class Report(NamedTuple):
    """What `verify` found: rows read, the last one's head, heads compared, and what is wrong."""

    rows: int
    head: Head
    heads: int
    problems: tuple[str, ...]


def verify(db: sqlite3.Connection, heads: Heads) -> Report:
    """Check every row against the row before it, and the record against `heads`.

    `db` reads the audit; the engine may go on writing meanwhile. Raises sqlite3.Error.
    """
    noted: dict[int, set[bytes]] = {}
    for head in heads.heads:
        noted.setdefault(head.seq, set()).add(head.chain)
    problems = [f"heads line {number} cannot be read" for number in heads.unreadable]
    rows, seq, chain = 0, 0, GENESIS
    for name, table, values, stored in _in_order(db):
        rows += 1
        number = values[1] if table == b"calls" else values[0]
        if not isinstance(number, int) or not isinstance(stored, bytes):
            problems.append(f"{name}: no engine wrote a row like this")
            continue
        if number <= seq:
            problems.append(f"{name}: its number {number} is taken by another row")
            continue
        if number > seq + 1:
            problems.append(_missing(seq + 1, number - 1, f"before {name}"))
        elif link(chain, table, values) != stored:
            problems.append(f"{name}: changed, or moved from another place")
        seq, chain = number, stored
        if any(other != stored for other in noted.pop(number, ())):
            problems.append(f"{name}: computed anew after a head was noted for it")
    beyond = max(noted, default=0)
    if beyond > seq:
        problems.append(_missing(seq + 1, beyond, "at the end: cut off after a head was noted"))
    return Report(rows, Head(seq, chain), len(heads.heads), tuple(problems))


def _missing(first: int, last: int, where: str) -> str:
    count = "row" if first == last else f"rows {first} to"
    return f"{count} {last} missing {where}"


def _in_order(db: sqlite3.Connection) -> Iterator[tuple[str, bytes, tuple[Any, ...], Any]]:
    """Every row of all tables by its number: name, table, hashed values, chain."""
    rows = [
        f"SELECT {', '.join(columns)}, chain FROM {table} WHERE {key} = ?"  # noqa: S608 - constants
        for table, key, columns in _TABLES
    ]
    places = db.execute(
        "SELECT seq, 0, seq FROM steps UNION ALL SELECT seq, 1, id FROM calls "
        "UNION ALL SELECT seq, 2, seq FROM tool_events ORDER BY 1, 2, 3"
    )
    for _, which, key in places:
        found = db.execute(rows[which], (key,)).fetchone()
        *values, stored = found or (key, key, None)  # nothing is found by a key that is NULL
        table = _TABLES[which][0]
        if table == "calls":
            name = f"call {key}"
        elif table == "steps":
            name = f"step {key} (of call {values[1]})"
        else:
            name = f"tool event {key}"
        yield name, table.encode(), tuple(values), stored
