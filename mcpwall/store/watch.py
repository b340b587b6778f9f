"""Noticing that a file may have changed, by polling: no thread, no dependency, no clock.

The engine takes a `Signature` a few times a second and asks a `Watch` whether to read the file
again. Whether the content really differs from what is known is then for the reader to see, so
edits of our own are recognised by content.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

SETTLE_POLLS = 12
"""Polls that still read after a change: at 0.25 s each, longer than any file system's tick."""


class Signature(NamedTuple):
    """What the system says of a file.

    Any write, replacement or re-creation changes it, except a write of the same size within one
    tick of the file system's clock (up to 2 s on FAT).
    """

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def signature(path: str) -> Signature | None:
    """The signature of the file behind the path, links followed; None where there is none."""
    try:
        info = Path(path).stat()
    except OSError:
        return None
    return Signature(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


class Watch:
    """Says when a polled file is worth reading again.

    After each change of the signature the next polls ask to read too, for a second edit may hide
    behind the same time stamp.
    """

    def __init__(self, first: Signature | None) -> None:
        self._last = first
        self._unsettled = SETTLE_POLLS if first else 0

    def look(self, now: Signature | None) -> bool:
        """Whether to read the file, given its signature of this moment."""
        if now != self._last:
            self._last = now
            self._unsettled = SETTLE_POLLS if now else 0
            return True
        if self._unsettled:
            self._unsettled -= 1
            return True
        return False
