"""What this wall is called in a store that it shares with others."""

from __future__ import annotations

import getpass
import re
import secrets
import socket
from pathlib import Path
from typing import Final

from mcpwall.store import files
from mcpwall.store.shared.ledger import Wall

_ID: Final = re.compile(r"[0-9a-f]{16}")


def wall(path: str) -> Wall:
    """This wall, by the id in the file at `path`, which is made the first time.

    The id keeps apart what walls count for themselves, so a file that somebody else could have
    written is refused. Raises OSError, UnsafeFileError.
    """
    known = files.read_checked(path).strip() if Path(path).exists() else ""
    if not _ID.fullmatch(known):
        known = secrets.token_hex(8)
        files.write_atomic(path, f"{known}\n")
    return Wall(known, f"{_user()}@{socket.gethostname()}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user that the system does not know
        return "unknown"
