"""What `init` changed, kept so that `uninstall` can put it back byte for byte.

For each entry: what stood where, and hashes of the entry before and after; for each file: where its
copy from before is (`clients.backup`). `uninstall` goes by the entries, since the agent may have
written its history to the file since. No secret is in it. `state/clients.json`, for the user alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from mcpwall.store import files

VERSION: Final = 1
_BY_HAND: Final = (
    "move it away, and put entries back by hand: take out all that stands before the server's "
    "own command"
)


class LedgerError(Exception):
    """The ledger cannot be read or written: str() says why and what to do."""


class Piece(msgspec.Struct, frozen=True):
    """`before` stood where now `after` stands, `at` characters behind the entry's start."""

    at: int
    before: str
    after: str


class Record(msgspec.Struct, frozen=True):
    """One entry that was routed. `before` and `after` are SHA-256 of its text."""

    file: str
    agent: str
    keys: tuple[str, ...]
    name: str
    server: str  # what the wall calls it
    at: str  # when, ISO 8601
    before: str
    after: str
    pieces: tuple[Piece, ...]

    @property
    def where(self) -> tuple[str, tuple[str, ...], str]:
        """Which entry this is about."""
        return self.file, self.keys, self.name


class Backup(msgspec.Struct, frozen=True):
    """Where the copy of a file as it was is, and the SHA-256 of what it holds."""

    path: str
    hash: str


class Ledger(msgspec.Struct, frozen=True):
    """All that is routed.

    `tables` are texts that were added to config.toml, by `servers.NAME` or `agents.NAME`; `backups`
    are the copies of the files that hold the entries, by file.
    """

    records: tuple[Record, ...] = ()
    tables: dict[str, str] = {}
    version: int = VERSION
    backups: dict[str, Backup] = {}

    @property
    def files(self) -> set[str]:
        """The files that hold an entry that was routed."""
        return {record.file for record in self.records}

    def with_records(self, new: Iterable[Record]) -> Ledger:
        """With these records, in place of older ones about the same entries."""
        kept = {record.where: record for record in (*self.records, *new)}
        return msgspec.structs.replace(self, records=tuple(kept.values()))

    def with_tables(self, new: dict[str, str]) -> Ledger:
        """With more tables in config.toml."""
        return msgspec.structs.replace(self, tables={**self.tables, **new})

    def with_backups(self, new: dict[str, Backup]) -> Ledger:
        """With the copies of more files."""
        return msgspec.structs.replace(self, backups={**self.backups, **new})

    def without_backup(self, file: str) -> Ledger:
        """Without the copy of this file."""
        rest = {name: backup for name, backup in self.backups.items() if name != file}
        return msgspec.structs.replace(self, backups=rest)

    def without(self, gone: Iterable[Record]) -> Ledger:
        """Without these records."""
        gone = set(gone)
        rest = tuple(record for record in self.records if record not in gone)
        return msgspec.structs.replace(self, records=rest)


def read(path: str) -> Ledger:
    """The ledger; an empty one where there is none. Raises LedgerError."""
    try:
        ledger = msgspec.json.decode(files.read_checked(path), type=Ledger)
    except FileNotFoundError:
        return Ledger()
    except files.UnsafeFileError as error:
        raise LedgerError(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LedgerError(f"{path}: cannot be read ({error}); {_BY_HAND}") from error
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read: {error.strerror}") from error
    if ledger.version != VERSION:
        raise LedgerError(f"{path}: was written by another version of mcpwall; use that one")
    return ledger


def write(path: str, ledger: Ledger) -> None:
    """Keep the ledger. Raises LedgerError."""
    plain: Any = msgspec.to_builtins(ledger)
    try:
        files.private_dir(str(Path(path).parent))
        files.write_atomic(path, json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    except files.UnsafeFileError as error:
        raise LedgerError(str(error)) from error
    except OSError as error:
        raise LedgerError(f"{path}: cannot be written: {error.strerror}") from error
