"""A process that writes an audit: `audit_writer.py PATH endless|limited`. See test_audit_faults."""

import os
import resource
import sys
import threading
from pathlib import Path

from mcpwall.store.audit import Audit
from mcpwall.store.faults import AuditError
from tests.helpers.audit_values import answered, charged, intent


def say(word: str) -> None:
    """One line, at once."""
    os.write(1, f"{word}\n".encode())


def endless(audit: Audit) -> None:
    """Write calls and answers until killed; say the number of each call after it was written."""
    number = audit.last_id()
    while True:
        thread = threading.Thread(target=audit.checkpoint)
        thread.start()
        while thread.is_alive():
            batch = range(number + 1, number + 1 + (1, 1, 5)[number % 3])
            answers = [answered(number)] if number and number % 2 else []
            audit.write([intent(one, verdict=charged()) for one in batch], answers)
            number = batch[-1]
            say(str(number))


def limited(audit: Audit, wal: Path) -> None:
    """Write under file-size limits; say `-N` for what was refused and `+N` for what was written."""
    number = audit.last_id()
    for extra in range(0, 12_000, 450):
        number += 1
        size = wal.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + extra, resource.RLIM_INFINITY))
        sign = "+"
        try:
            audit.write([intent(number, arguments=b"x" * 6_000)])
        except AuditError:
            sign = "-"
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        say(f"{sign}{number}")
    audit.write([intent(number + 1)])
    say(f"+{number + 1}")


if __name__ == "__main__":
    with Audit.open(sys.argv[1], boot="boot-1") as opened:
        if sys.argv[2] == "endless":
            endless(opened)
        else:
            limited(opened, Path(sys.argv[1] + "-wal"))
