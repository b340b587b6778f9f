"""The tools of every server that was seen, and what each is pinned as: `state/tools.db`.

SQLite with a write-ahead log, as the audit, but a file of its own: rows here change. One engine
writes; commands read. A pin that `save` returned for survives the death of the process.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import msgspec

from mcpwall.store.files import UnsafeFileError, private_dir, private_file
from mcpwall.store.migrations import SchemaVersionError, check, migrate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WAIT_S: Final = 0.25  # for a lock that a reader holds


class ToolsError(Exception):
    """The inventory cannot be opened, read or written; str() says what, where, and what to do."""


_Entry = TypeVar("_Entry", bound=msgspec.Struct)


class ServerEntry(msgspec.Struct):
    """A server that was seen.

    `complete`: a whole list of its tools was seen, so what comes later is new. `looked`: a person
    has accepted it since.
    """

    name: str
    first_ms: int
    transport: str = ""
    version: str = ""
    complete: bool = False
    looked: bool = False


class ToolEntry(msgspec.Struct):
    """One tool of a server, or, with the name "", the server's instructions.

    `pinned` and `listed` are fingerprints, the texts are JSON. `pinned` is "" until a person
    accepts what came to a known server; `listed` is "" where the server says two things at once.
    A text that is too large to keep is empty.
    """

    server: str
    name: str
    first_ms: int
    pinned: str = ""
    pinned_text: bytes = b""
    listed: str = ""
    listed_text: bytes = b""
    gone: bool = False
    calls: int = 0
    last_ms: int | None = None


def _create(db: sqlite3.Connection) -> None:
    """Version 1."""
    db.execute(
        """
        CREATE TABLE servers (
            name TEXT PRIMARY KEY,
            first_ms INTEGER NOT NULL,
            transport TEXT NOT NULL,
            version TEXT NOT NULL,
            complete INTEGER NOT NULL,
            looked INTEGER NOT NULL
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE TABLE tools (
            server TEXT NOT NULL,
            name TEXT NOT NULL,
            first_ms INTEGER NOT NULL,
            pinned TEXT NOT NULL,
            pinned_text BLOB NOT NULL,
            listed TEXT NOT NULL,
            listed_text BLOB NOT NULL,
            gone INTEGER NOT NULL,
            calls INTEGER NOT NULL,
            last_ms INTEGER,
            PRIMARY KEY (server, name)
        ) STRICT
        """
    )


STEPS: Final = (_create,)


class ToolStore:
    """The file. Every method raises ToolsError."""

    def __init__(self, db: sqlite3.Connection, path: str) -> None:
        self._db = db
        self._path = path

    @classmethod
    def open(cls, path: str) -> Self:
        """Open it to write, made or migrated as needed."""
        with _in_words(path):
            private_dir(str(Path(path).parent))
            private_file(path)
            db = sqlite3.connect(path, isolation_level=None, timeout=_WAIT_S)
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                migrate(db, STEPS)
            except BaseException:
                db.close()
                raise
        return cls(db, path)

    @classmethod
    def read(cls, path: str) -> Self | None:
        """Open it to read; None when no engine has seen a server yet."""
        if not os.path.lexists(path):
            return None
        with _in_words(path):
            uri = f"{Path(path).absolute().as_uri()}?mode=ro"
            db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_WAIT_S)
            try:
                check(db, STEPS)
            except BaseException:
                db.close()
                raise
        return cls(db, path)

    def close(self) -> None:
        """Let go of the file."""
        with _in_words(self._path):
            self._db.close()

    def servers(self) -> list[ServerEntry]:
        """Every server, by name."""
        with _in_words(self._path):
            rows = self._db.execute("SELECT * FROM servers ORDER BY name").fetchall()
        return [_entry(ServerEntry, row) for row in rows]

    def tools(self) -> list[ToolEntry]:
        """Every tool of every server, by name."""
        with _in_words(self._path):
            rows = self._db.execute("SELECT * FROM tools ORDER BY server, name").fetchall()
        return [_entry(ToolEntry, row) for row in rows]

    def save(self, servers: Iterable[ServerEntry], tools: Iterable[ToolEntry]) -> None:
        """Write these as they are now, all or none of them."""
        with _in_words(self._path), self._at_once():
            self._db.executemany(_put("servers", ServerEntry), map(_values, servers))
            self._db.executemany(_put("tools", ToolEntry), map(_values, tools))

    def forget(self, server: str) -> None:
        """Take out a server and all its tools."""
        with _in_words(self._path), self._at_once():
            self._db.execute("DELETE FROM tools WHERE server = ?", (server,))
            self._db.execute("DELETE FROM servers WHERE name = ?", (server,))

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """All that is written in the block, or nothing."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _entry(kind: type[_Entry], row: tuple[Any, ...]) -> _Entry:
    """An entry from its columns, which stand in the order of its fields."""
    named = dict(zip(kind.__struct_fields__, row, strict=True))
    return msgspec.convert(named, kind, strict=False, builtin_types=(bytes,))


def _put(table: str, entry: type[msgspec.Struct]) -> str:
    names = entry.__struct_fields__
    places = ", ".join("?" * len(names))
    return f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - constants


def _values(entry: msgspec.Struct) -> tuple[Any, ...]:
    return msgspec.structs.astuple(entry)


@contextmanager
def _in_words(path: str) -> Iterator[None]:
    """Turn the system's errors into the one that this module raises."""
    try:
        yield
    except UnsafeFileError as error:
        raise ToolsError(str(error)) from error
    except SchemaVersionError as error:
        fix = "update mcpwall" if error.found > error.known else "start mcpwall once"
        raise ToolsError(f"{path}: {error}; {fix}") from error
    except (OSError, sqlite3.Error, UnicodeError) as error:
        raise ToolsError(
            f"{path}: the inventory of tools cannot be used: {error}; see whether its disk is full "
            "or failing, or move the file away: every server is then seen for the first time again"
        ) from error
