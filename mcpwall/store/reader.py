"""Reading the audit: by the engine over its own connection, by the command line beside it.

Every method reads a bounded page at a time and leaves no read transaction open (an open one would
keep the engine's write-ahead log from being taken over), except `verify`, which reads all.
"""

from __future__ import annotations

import heapq
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from mcpwall.store import chain, migrations
from mcpwall.store.faults import VERIFY, AuditError, audit_error
from mcpwall.store.history import Happening
from mcpwall.store.records import AuditRow
from mcpwall.store.rows import CALL_COLUMNS, STEP_COLUMNS, fold
from mcpwall.store.tool_events import EVENT_COLUMNS, ToolEvent, event_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLOCK_SLACK_MS = 24 * 3600 * 1000  # how far back a wall clock may have been set between two calls
_NO_ID = 2**63 - 1  # above every call number
_PAGE = 200  # rows: with the largest arguments 13 MB
_CALLS = f"SELECT {', '.join(CALL_COLUMNS)} FROM calls"  # noqa: S608 - constants
_STEPS = f"SELECT {', '.join(STEP_COLUMNS)} FROM steps WHERE call = ? ORDER BY seq"  # noqa: S608 - constants
_ALL_STEPS = f"SELECT {', '.join(STEP_COLUMNS)} FROM steps WHERE seq > ? ORDER BY seq LIMIT {_PAGE}"  # noqa: S608 - constants
_EVENTS = (
    f"SELECT {', '.join(EVENT_COLUMNS)} FROM tool_events WHERE seq > ? ORDER BY seq LIMIT {_PAGE}"  # noqa: S608 - constants
)
_CHANGED = f"""{_CALLS} WHERE id IN (
    SELECT id FROM calls WHERE id > ? UNION SELECT call FROM steps WHERE seq > ?
) ORDER BY id"""  # noqa: S608 - constants
_END = "SELECT (SELECT ifnull(max(id), 0) FROM calls), (SELECT ifnull(max(seq), 0) FROM steps)"


class Place(NamedTuple):
    """A place in the record: all calls up to `call` and all steps up to `step`."""

    call: int
    step: int


class Reader:
    """The record through one connection. Every method raises AuditError.

    A reader belongs to the thread that made it.
    """

    def __init__(self, db: sqlite3.Connection, path: str) -> None:
        self._db = db
        self._path = path

    @classmethod
    def reader(cls, path: str) -> Reader:
        """A reader of the audit at `path`, beside an engine that writes it or without one."""
        if not Path(path).exists():
            raise AuditError("there is no record yet", path, "it begins with the first call")
        try:
            db = sqlite3.connect(
                f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
            )
        except sqlite3.Error as error:
            raise audit_error(error, path) from error
        try:
            migrations.check(db)
        except (sqlite3.Error, migrations.SchemaVersionError) as error:
            db.close()
            raise audit_error(error, path) from error
        return Reader(db, path)

    @property
    def path(self) -> str:
        """Where the record is."""
        return self._path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._db.close()

    def last_id(self) -> int:
        """The highest call number in the record, 0 when there is none."""
        return int(self._one("SELECT ifnull(max(id), 0) FROM calls")[0])

    def count(self) -> int:
        """How many calls the record has. Reads the whole table."""
        return int(self._one("SELECT count(*) FROM calls")[0])

    def get(self, call: int) -> AuditRow | None:
        """One call, None when the record does not have it."""
        if not 0 < call < _NO_ID:  # an app may name any; SQLite takes 64 bits
            return None
        return next(iter(self._rows(f"{_CALLS} WHERE id = ?", (call,))), None)

    def recent(self, n: int, before: int | None = None) -> list[AuditRow]:
        """The newest `n` calls, newest first; only those numbered under `before` if given."""
        top = _NO_ID if before is None else min(max(before, 0), _NO_ID)
        return self._rows(f"{_CALLS} WHERE id < ? ORDER BY id DESC LIMIT ?", (top, n))

    def since(self, call: int, session: str) -> list[AuditRow]:
        """The calls of a session that are numbered above `call`, oldest first."""
        return self._rows(f"{_CALLS} WHERE id > ? AND session = ? ORDER BY id", (call, session))

    def search(
        self, matches: Callable[[AuditRow], bool], *, since_ms: int | None = None, limit: int = -1
    ) -> Iterator[AuditRow]:
        """Calls that match, newest first, at most `limit` of them when it is not negative.

        With `since_ms`, only those at or after it, and the search ends CLOCK_SLACK_MS before.
        """
        before: int | None = None
        while limit and (page := self.recent(_PAGE, before)):
            before = page[-1].id
            for row in page:
                if since_ms is not None and row.at_ms < since_ms:
                    if row.at_ms < since_ms - CLOCK_SLACK_MS:
                        return
                elif matches(row):
                    yield row
                    limit -= 1
                    if limit == 0:
                        return

    def tool_events(self) -> Iterator[ToolEvent]:
        """What became of tools' definitions, oldest first."""
        return map(event_of, self._paged(_EVENTS, 0))

    def policy(self, name: str) -> str | None:
        """The text of the policy with this hash, None when the record does not have it."""
        with self._faults():
            found = self._db.execute("SELECT text FROM policies WHERE hash = ?", (name,)).fetchone()
            return None if found is None else str(found[0])

    def history(self) -> Iterator[Happening]:
        """All that was recorded, in the order in which it was."""
        calls = self._paged(f"{_CALLS} WHERE id > ? ORDER BY id LIMIT {_PAGE}", 0)
        steps = self._paged(_ALL_STEPS, 0)
        with self._faults():
            yield from heapq.merge(
                (Happening.of_call(values) for values in calls),
                (Happening.of_step(values) for values in steps),
                key=lambda happening: happening.seq,
            )

    def _paged(self, sql: str, after: int) -> Iterator[tuple[Any, ...]]:
        """Rows by their first column, a page at a time."""
        while page := self._db.execute(sql, (after,)).fetchall():
            yield from page
            after = page[-1][0]

    def end(self) -> Place:
        """The present end of the record, for `changed`."""
        return Place(*self._one(_END))

    def changed(self, after: Place) -> tuple[list[AuditRow], Place]:
        """Calls that came or changed after a place, each once, oldest first; and the end now."""
        with self._faults():
            self._db.execute("BEGIN")  # one moment for the end and the rows
            try:
                now = self.end()
                return self._rows(_CHANGED, (after.call, after.step)), now
            finally:
                self._db.execute("COMMIT")

    def verify(self, heads: str | None = None) -> chain.Report:
        """Check the chain, and the record against a heads file (its own one by default)."""
        if heads and not Path(heads).exists():
            raise AuditError("there is no such file", heads, "give the copy of audit.heads")
        with self._faults():
            noted = chain.read_heads(heads or chain.heads_file(self._path))
            return chain.verify(self._db, noted)

    def _rows(self, sql: str, values: tuple[Any, ...]) -> list[AuditRow]:
        """The calls that a query on the table finds, in its order, each with its steps."""
        with self._faults():
            calls = self._db.execute(sql, values).fetchall()
            return [fold(call, self._db.execute(_STEPS, call[:1]).fetchall()) for call in calls]

    def _one(self, sql: str) -> tuple[Any, ...]:
        with self._faults():
            row: tuple[Any, ...] = self._db.execute(sql).fetchone()
            return row

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Say what went wrong in words."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise audit_error(error, self._path) from error
        except ValueError as error:  # a value that no engine wrote
            raise AuditError(f"a row is damaged ({error})", self._path, VERIFY) from error
