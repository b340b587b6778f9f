"""The one error that the audit raises, and how the system's errors become it."""

from __future__ import annotations

import errno
import sqlite3

from mcpwall.store.files import UnsafeFileError
from mcpwall.store.migrations import SchemaVersionError

_RESULT = 0xFF  # the part of an SQLite error code that is common to its variants
_SPACE = "make space on its disk; calls are refused until then"
VERIFY = "see what is wrong with: mcpwall audit verify"
_FIX = {
    sqlite3.SQLITE_FULL: _SPACE,
    sqlite3.SQLITE_BUSY: "end the other program that is writing to it",
    sqlite3.SQLITE_LOCKED: "end the other program that is writing to it",
    sqlite3.SQLITE_NOTADB: "move it away; a new record is begun in its place",
    sqlite3.SQLITE_CORRUPT: f"{VERIFY}, or move it away to begin a new record",
    sqlite3.SQLITE_READONLY: "make the file and its directory writable for you",
    sqlite3.SQLITE_CANTOPEN: "make the file and its directory readable and writable for you",
    sqlite3.SQLITE_IOERR: f"see whether its disk is full or failing. {_SPACE}",
}


class AuditError(Exception):
    """The audit cannot be opened, written or read; str() says what, where, and what to do."""

    def __init__(self, what: str, where: str, fix: str) -> None:
        super().__init__(f"{where}: {what}; {fix}")
        self.what = what
        self.where = where
        self.fix = fix


def audit_error(error: Exception, path: str) -> AuditError:
    """An error that came up while using the audit at `path`, in words."""
    if isinstance(error, UnsafeFileError):
        return AuditError(error.what, error.where, error.fix)
    if isinstance(error, SchemaVersionError):
        newer = error.found > error.known
        fix = "update mcpwall" if newer else "start mcpwall, which brings it up to date"
        return AuditError(str(error), path, fix)
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _RESULT
        return AuditError(str(error), path, _FIX.get(code, VERIFY))
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        fix = _SPACE if full else "see to its permissions and its disk"
        return AuditError(error.strerror or str(error), str(error.filename or path), fix)
    return AuditError(f"cannot hold this value ({error})", path, "the call is refused")
