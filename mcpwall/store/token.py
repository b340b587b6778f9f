"""The token that lets agents in that come by URL: a file that only the user may read."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from typing import Final

from mcpwall.store.files import UnsafeFileError, open_private

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_BYTES: Final = 32
_READ_MAX: Final = 1024


def token(path: str) -> str:
    """The token of this wall, made when there is none yet; several may ask at once.

    Raises UnsafeFileError when others could know it, or it is none; OSError.
    """
    descriptor = open_private(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        found = os.read(descriptor, _READ_MAX).decode("ascii", "replace").strip()
        if not found:
            found = secrets.token_urlsafe(_BYTES)
            os.write(descriptor, f"{found}\n".encode())
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if not _TOKEN.fullmatch(found):
        raise UnsafeFileError("holds no token of the wall's", path, "delete it for a new one")
    return found
