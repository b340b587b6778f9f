"""Writing the audit: the record of every call, made before the call is forwarded (P1, P12).

SQLite with a write-ahead log and `synchronous=NORMAL`: a row that `write` returned for survives
the death of the process at any point. (A power cut may take the last moments; nothing worse.)
Rows are only ever added. One engine writes; its lock sees to that. Everything but `checkpoint`
belongs to the thread that opened the audit and takes microseconds.
"""

from __future__ import annotations

import heapq
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mcpwall.store import chain, inserts, migrations
from mcpwall.store.chain import GENESIS, Head, link
from mcpwall.store.faults import AuditError, audit_error
from mcpwall.store.files import UnsafeFileError, private_dir, private_file
from mcpwall.store.inserts import Insert, Table, statement
from mcpwall.store.reader import CLOCK_SLACK_MS, Reader
from mcpwall.store.records import ARGUMENTS_MAX, Booking, Forwarded, Intent, Step, Unfinished
from mcpwall.store.rows import (
    CALL_COLUMNS,
    STEP_COLUMNS,
    VERDICT_COLUMNS,
    call_values,
    decode_charges,
    forwarded,
    step_values,
    unfinished,
)
from mcpwall.store.tool_events import EVENT_COLUMNS, ToolEvent, event_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WAL_BYTES = 8 * 1024 * 1024  # about the largest that the write-ahead log grows
_COMMIT = 2 * 4096  # about what a commit adds to it: the pages at the end of a table
_ROW = 1024  # and a row, without its arguments
_WAIT_S = 0.25  # for a lock that a checkpoint, or a person with an SQLite shell, holds


_CALLS = Table("calls", CALL_COLUMNS, rare=("retry_s", "excerpt"))
_STEPS = Table(
    "steps",
    STEP_COLUMNS,
    rare=(*VERDICT_COLUMNS, "charges", "arguments", "digest", "risk"),
)
_INSERT_EVENT = statement("tool_events", EVENT_COLUMNS)
_SETTLED = """
    SELECT ifnull(
        (SELECT min(id) - 1 FROM open_calls WHERE id > ?), (SELECT ifnull(max(id), 0) FROM calls)
    )
"""
_UNFINISHED = """
    SELECT id,
        CASE WHEN EXISTS (SELECT 1 FROM steps WHERE call = open_calls.id AND kind = 'released')
            THEN 'running' ELSE state END,
        request_id, at_ms, session, agent, client, server, method, tool
    FROM open_calls WHERE id > :settled AND (:session IS NULL OR session = :session) ORDER BY id
"""
_ENDS = """
    SELECT * FROM (SELECT seq, chain FROM calls ORDER BY id DESC LIMIT 1)
    UNION ALL SELECT * FROM (SELECT seq, chain FROM steps ORDER BY seq DESC LIMIT 1)
    UNION ALL SELECT * FROM (SELECT seq, chain FROM tool_events ORDER BY seq DESC LIMIT 1)
"""
_NAMES = "c.id, c.digest, c.server, c.method, c.tool"
_RAN_AT_ONCE = f"""
    SELECT c.seq, c.at_ms, c.steady_ns, c.boot, {_NAMES}, c.risk, c.client, c.grounds
    FROM calls c
    WHERE c.state = 'running' ORDER BY c.id DESC
"""  # noqa: S608 - constants
_RELEASED = f"""
    SELECT s.seq, s.at_ms, s.steady_ns, s.boot, {_NAMES}, ifnull(s.risk, c.risk), c.client,
        c.grounds
    FROM steps s JOIN calls c ON c.id = s.call
    WHERE s.kind = 'released' ORDER BY s.seq DESC
"""  # noqa: S608 - constants
_CALL_CHARGES = "SELECT seq, at_ms, steady_ns, boot, charges FROM calls ORDER BY id DESC"
_STEP_CHARGES = "SELECT seq, at_ms, steady_ns, boot, charges FROM steps ORDER BY seq DESC"


class Audit(Reader):
    """The record, with the right to add to it. Every method raises AuditError."""

    def __init__(self, db: sqlite3.Connection, path: str, boot: str, noted: Head) -> None:
        super().__init__(db, path)
        self._boot = boot
        self._last = self.last_id()
        ends = db.execute(_ENDS).fetchall()
        self._tip = max((Head(*end) for end in ends), default=Head(0, GENESIS))
        self._noted = noted.seq
        self._settled = noted.settled if noted.settled <= self._last else 0
        self._grown = 0  # bytes of write-ahead log since the last checkpoint, about
        self._turn = threading.Lock()  # taken for a commit, and for the last bit of a checkpoint

    @classmethod
    def open(cls, path: str, *, boot: str) -> Self:
        """Open the audit at `path` to write, made or migrated as needed.

        `boot` names the boot of the machine from which the steady clock counts, "" if unknown.
        """
        try:
            private_dir(str(Path(path).parent))
            private_file(path)
            db = sqlite3.connect(path, isolation_level=None, timeout=_WAIT_S)
        except (OSError, sqlite3.Error, UnsafeFileError) as error:
            raise audit_error(error, path) from error
        try:
            _prepare(db, path)
            heads = chain.read_heads(chain.heads_file(path)).heads
            return cls(db, path, boot, heads[-1] if heads else Head(0, GENESIS))
        except (OSError, sqlite3.Error, migrations.SchemaVersionError) as error:
            db.close()
            raise audit_error(error, path) from error
        except AuditError:
            db.close()
            raise

    def close(self) -> None:
        """Bring everything into the database, note the head, and end the connection."""
        try:
            self.checkpoint()
        finally:
            super().close()

    @property
    def boot(self) -> str:
        """The boot that the steady clock counts from."""
        return self._boot

    @property
    def seq(self) -> int:
        """The number of the last row."""
        return self._tip.seq

    def write(
        self, intents: Sequence[Intent], steps: Sequence[Step] = (), *, boot: str | None = None
    ) -> None:
        """Record calls and steps, all in one transaction; on an error none of them is stored.

        Calls must come in the order of their numbers, each above all before it. `boot` names the
        boot that their steady clock counted from, if it was another than this one. After an error
        the audit stays open: a later write works once its cause is gone.
        """
        boot, last, (seq, tip, _) = boot or self._boot, self._last, self._tip
        grown = _COMMIT
        rows: list[Insert] = []
        try:
            for intent in intents:
                if intent.call.id <= last:
                    text = f"call {intent.call.id} comes after call {last}"
                    raise ValueError(text)  # noqa: TRY301 - a fault of the record like any other
                seq, last = seq + 1, intent.call.id
                values = call_values(intent, seq, boot)
                grown += _ROW + min(len(intent.arguments_json), ARGUMENTS_MAX)
                tip = link(tip, b"calls", values)
                rows.append(_CALLS.row(values, tip))
            for step in steps:
                seq += 1
                values = step_values(step, seq, boot)
                grown += _ROW
                tip = link(tip, b"steps", values)
                rows.append(_STEPS.row(values, tip))
            with self._turn:
                self._store(rows)
        except (sqlite3.Error, OSError, ValueError, OverflowError) as error:
            raise audit_error(error, self._path) from error
        self._tip, self._last = Head(seq, tip), last
        self._grown += grown

    def _store(self, rows: list[Insert]) -> None:
        db = self._db
        if len(rows) == 1:  # one statement is a transaction of its own
            db.execute(*rows[0])
            return
        try:
            db.execute("BEGIN IMMEDIATE")
            inserts.run(db, rows)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def note_tools(self, events: Sequence[ToolEvent]) -> None:
        """Record what became of tools' definitions, all in one transaction."""
        seq, tip, _ = self._tip
        rows: list[Insert] = []
        grown = _COMMIT
        for event in events:
            seq += 1
            values = event_values(event, seq, self._boot)
            grown += _ROW + len(event.before) + len(event.after)
            tip = link(tip, b"tool_events", values)
            rows.append((_INSERT_EVENT, (*values, tip)))
        with self._faults(), self._turn:
            self._store(rows)
        self._tip = Head(seq, tip)
        self._grown += grown

    def keep_policy(self, name: str, text: str) -> None:
        """Keep the text of a policy under its hash; one that is kept already stays as it is."""
        with self._faults(), self._turn:
            self._db.execute("INSERT OR IGNORE INTO policies VALUES (?, ?)", (name, text))

    @property
    def checkpoint_due(self) -> bool:
        """Whether the write-ahead log has grown enough for `checkpoint`, to stay near WAL_BYTES."""
        return self._grown >= WAL_BYTES // 2

    def checkpoint(self) -> None:
        """Move the write-ahead log into the database and note the head. Takes milliseconds.

        Made to run in a thread, one at a time, while the engine goes on writing: only the last of
        three rounds, with next to nothing left to move, makes a write wait. A reader with an open
        transaction (`mcpwall audit verify`) puts off the reuse of the log, never a write.
        """
        head, self._grown = self._tip, 0
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None, timeout=0)) as db:
                (self._settled,) = db.execute(_SETTLED, (self._settled,)).fetchone()
                db.execute("PRAGMA wal_checkpoint(PASSIVE)")
                db.execute("PRAGMA wal_checkpoint(PASSIVE)")
                with self._turn:
                    _, frames, moved = db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            # Only what is on the disk itself: no power cut may leave the head ahead of the record.
            if head.seq != self._noted and frames == moved >= 0:
                noted = head._replace(settled=self._settled)
                chain.append_head(chain.heads_file(self._path), noted)
                self._noted = head.seq
        except (sqlite3.Error, OSError) as error:
            raise audit_error(error, self._path) from error

    def unfinished(self, session: str | None = None) -> list[Unfinished]:
        """Calls forwarded without an outcome and calls held without a decision, oldest first."""
        with self._faults():
            values = {"settled": self._settled, "session": session}
            return [unfinished(row) for row in self._db.execute(_UNFINISHED, values)]

    def forwarded(self, since_ms: int) -> Iterator[Forwarded]:
        """Calls that were forwarded, newest first, for what agents did to be known again.

        All of this boot; of earlier ones those that came at or after `since_ms`.
        """
        with self._faults():
            both = (self._passed(sql, since_ms) for sql in (_RAN_AT_ONCE, _RELEASED))
            for values in heapq.merge(*both, key=lambda row: row[0], reverse=True):
                yield forwarded(values)

    def _passed(self, sql: str, since_ms: int) -> Iterator[tuple[Any, ...]]:
        """Rows up to the first that is certainly too old."""
        for row in self._db.execute(sql):
            _, at_ms, _, boot = row[:4]
            if (boot and boot == self._boot) or at_ms >= since_ms:
                yield row
            elif at_ms < since_ms - CLOCK_SLACK_MS:
                return

    def charges(self, since_ms: int, since_ns: int | None = None) -> Iterator[Booking]:
        """What forwarded calls have booked, newest first, for limits to count again.

        Bookings of this boot are told by the steady clock: those at or after `since_ns`, or all.
        Of earlier boots only the wall clock is known: those at or after `since_ms`.
        """
        with self._faults():
            both = (
                self._charged(sql, since_ms, since_ns) for sql in (_CALL_CHARGES, _STEP_CHARGES)
            )
            for _, at_ms, steady_ns, boot, text in heapq.merge(*both, reverse=True):
                for charge in decode_charges(text):
                    yield Booking(charge.rule, charge.key, charge.amount, at_ms, steady_ns, boot)

    def _charged(
        self, sql: str, since_ms: int, since_ns: int | None
    ) -> Iterator[tuple[int, int, int, str, str]]:
        """Rows with charges, newest first, up to the first that is certainly too old."""
        for row in self._db.execute(sql):
            _, at_ms, steady_ns, boot, charges = row
            if boot and boot == self._boot:  # "" is a boot that could not be told from others
                if since_ns is not None and steady_ns < since_ns:
                    return
            elif at_ms < since_ms:
                if at_ms < since_ms - CLOCK_SLACK_MS:
                    return
                continue
            if charges is not None:
                yield row


def _prepare(db: sqlite3.Connection, path: str) -> None:
    """Set up the connection and the schema.

    Raises sqlite3.Error, SchemaVersionError, AuditError.
    """
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise AuditError("its disk cannot hold a write-ahead log", path, "put it on a local disk")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
    migrations.migrate(db)
