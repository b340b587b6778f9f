"""What `init` changed, kept so that `uninstall` can put it back byte for byte.

For each entry: what stood where, and hashes of the entry before and after. This is the backup: a
whole copy of an agent's file would copy the secrets in it, and would be out of date as soon as the
agent writes its history there. `state/clients.json`, for the user alone.
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


class Ledger(msgspec.Struct, frozen=True):
    """All that is routed.

    `tables` are texts that were added to config.toml, by `servers.NAME` or `agents.NAME`.
    """

    records: tuple[Record, ...] = ()
    tables: dict[str, str] = {}
    version: int = VERSION

    def with_records(self, new: Iterable[Record]) -> Ledger:
        """With these records, in place of older ones about the same entries."""
        kept = {record.where: record for record in (*self.records, *new)}
        return msgspec.structs.replace(self, records=tuple(kept.values()))

    def with_tables(self, new: dict[str, str]) -> Ledger:
        """With more tables in config.toml."""
        return msgspec.structs.replace(self, tables={**self.tables, **new})

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
