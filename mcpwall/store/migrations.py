"""The audit's schema: one function a step, from the version before to the next.

`PRAGMA user_version` says how many steps a file has seen. A step is never edited after a release;
a change of the schema is a new step at the end. Rows are chained (`store.chain`), so a step adds
tables or columns beside them and never rewrites what is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    Migration: TypeAlias = Callable[[sqlite3.Connection], None]


class SchemaVersionError(Exception):
    """The file's schema is not one that this program can use; `found` is its version."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"schema version {found}, this mcpwall knows {known}")
        self.found = found
        self.known = known


def _create(db: sqlite3.Connection) -> None:
    """Version 1.

    STRICT: what a column holds is what was hashed, never a converted value. The checks are spelled
    with OR because SQLite takes 1.3 us longer for each row with IN.
    """
    db.execute(
        """
        CREATE TABLE calls (
            id INTEGER PRIMARY KEY,
            seq INTEGER NOT NULL,
            at_ms INTEGER NOT NULL,
            steady_ns INTEGER NOT NULL,
            boot TEXT NOT NULL,
            session TEXT NOT NULL,
            agent TEXT NOT NULL,
            client TEXT NOT NULL,
            server TEXT NOT NULL,
            method TEXT NOT NULL,
            tool TEXT NOT NULL,
            risk TEXT NOT NULL,
            directory TEXT NOT NULL,
            request_id TEXT NOT NULL,
            size INTEGER NOT NULL,
            digest TEXT NOT NULL,
            action TEXT NOT NULL,
            cause TEXT NOT NULL,
            rules TEXT NOT NULL,
            reason TEXT NOT NULL,
            retry_s INTEGER,
            policy TEXT NOT NULL,
            state TEXT NOT NULL
                CHECK (state = 'running' OR state = 'held' OR state = 'refused'),
            charges TEXT,
            arguments TEXT,
            excerpt TEXT,
            chain BLOB NOT NULL
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE TABLE steps (
            seq INTEGER PRIMARY KEY,
            call INTEGER NOT NULL,
            at_ms INTEGER NOT NULL,
            steady_ns INTEGER NOT NULL,
            boot TEXT NOT NULL,
            kind TEXT NOT NULL
                CHECK (kind = 'answered' OR kind = 'released' OR kind = 'refused'
                    OR kind = 'withdrawn' OR kind = 'lost'),
            action TEXT,
            cause TEXT,
            rules TEXT,
            reason TEXT,
            retry_s INTEGER,
            policy TEXT,
            charges TEXT,
            took_us INTEGER,
            is_error INTEGER,
            bytes INTEGER,
            by TEXT NOT NULL,
            note TEXT NOT NULL,
            chain BLOB NOT NULL
        ) STRICT
        """
    )
    db.execute("CREATE INDEX steps_of_call ON steps (call)")
    db.execute(
        """
        CREATE VIEW open_calls AS SELECT * FROM calls
        WHERE state != 'refused' AND NOT EXISTS (
            SELECT 1 FROM steps
            WHERE call = calls.id AND kind IN ('refused', 'answered', 'withdrawn', 'lost')
        )
        """
    )


def _edits(db: sqlite3.Connection) -> None:
    """Version 2: what a person wrote in place of a call's arguments, and its digest."""
    db.execute("ALTER TABLE steps ADD COLUMN arguments TEXT")
    db.execute("ALTER TABLE steps ADD COLUMN digest TEXT")


def _grounds(db: sqlite3.Connection) -> None:
    """Version 3: what each verdict was made from, and the text of every policy by its hash."""
    db.execute("ALTER TABLE calls ADD COLUMN grounds TEXT")
    db.execute("CREATE TABLE policies (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT")


def _tool_events(db: sqlite3.Connection) -> None:
    """Version 4: what became of tools' definitions."""
    db.execute(
        """
        CREATE TABLE tool_events (
            seq INTEGER PRIMARY KEY,
            at_ms INTEGER NOT NULL,
            steady_ns INTEGER NOT NULL,
            boot TEXT NOT NULL,
            server TEXT NOT NULL,
            tool TEXT NOT NULL,
            what TEXT NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            by TEXT NOT NULL,
            chain BLOB NOT NULL
        ) STRICT
        """
    )


def _risk_then(db: sqlite3.Connection) -> None:
    """Version 5: the class of risk by which a call that had waited was judged again."""
    db.execute("ALTER TABLE steps ADD COLUMN risk TEXT")


STEPS: tuple[Migration, ...] = (_create, _edits, _grounds, _tool_events, _risk_then)


def version(db: sqlite3.Connection) -> int:
    """How many steps the file has seen; 0 for a new one. Raises sqlite3.Error."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def check(db: sqlite3.Connection, steps: Sequence[Migration] = STEPS) -> None:
    """Raise SchemaVersionError unless the file has seen exactly these steps."""
    if (found := version(db)) != len(steps):
        raise SchemaVersionError(found, len(steps))


def migrate(db: sqlite3.Connection, steps: Sequence[Migration] = STEPS) -> None:
    """Take the steps that the file has not seen, all in one transaction or none.

    `db` must be in autocommit mode (`isolation_level=None`). Raises SchemaVersionError for a file
    of a newer program; sqlite3.Error, after which the file is as it was.
    """
    if not _pending(db, steps):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in _pending(db, steps):  # asked again: now nobody else can be at it
            step(db)
        db.execute(f"PRAGMA user_version = {len(steps)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _pending(db: sqlite3.Connection, steps: Sequence[Migration]) -> Sequence[Migration]:
    """The steps that the file has not seen."""
    if (found := version(db)) > len(steps):
        raise SchemaVersionError(found, len(steps))
    return steps[found:]
