"""Reading the record from the command line, with what a killed engine had no time to file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from mcpwall import home
from mcpwall.store.audit import Audit
from mcpwall.store.intake import Intake
from mcpwall.store.reader import Reader


def open_record() -> Reader:
    """A reader of the audit. Where no engine runs, what one left unfiled is filed first.

    Raises AuditError.
    """
    if Path(home.intake_file()).exists() and (lock := _engines_lock()) is not None:
        try:
            Intake.open(Audit.open(home.audit_file(), boot=""), home.intake_file()).close()
        finally:
            os.close(lock)
    return Reader.reader(home.audit_file())


def _engines_lock() -> int | None:
    """The lock that an engine holds; None when one does."""
    try:
        lock = os.open(home.lock_file(), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
