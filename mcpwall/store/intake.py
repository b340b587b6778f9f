"""The audit's intake: recorded with one `pwrite(2)` now, filed in SQLite a moment later.

A commit that other processes may read beside us costs six locks and two writes, as much as the
whole judgement of a call. So calls and steps first go into a plain file, where they survive the
death of every process just as a committed row does, and are filed together, FILE_S after the first
of them at the latest. What a killed engine had not filed, the next one files when it opens.

The disk is trusted no longer than TRUST_NS: entries wait only while filing worked just before, and
the first after a pause is filed at once. When filing fails nothing is taken in until it works.

The file has a fixed size, so that a write changes no metadata and waits for no journal. It starts
with the number of the audit's last row when the first entry came (a smaller one than the audit has
now: all was filed) and the boot that the steady clock counts from; then come entries, each behind
its length and its CRC-32, and a length of zero. A write that a kill cut short fails its sum.
"""

from __future__ import annotations

import errno
import os
import zlib
from typing import TYPE_CHECKING, Final, Self

import msgspec

from mcpwall.store.audit import Audit
from mcpwall.store.faults import AuditError, audit_error
from mcpwall.store.records import RELEASED, Intent, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcpwall.store.tool_events import ToolEvent

SIZE: Final = 256 * 1024
FILE_AT: Final = 64  # entries that are filed at once
FILE_S: Final = 0.005  # how long an entry may wait for others
TRUST_NS: Final = 50_000_000  # how long a disk that took the last entries is taken to have room
_NUMBER: Final = 8  # bytes of a row number, or of a length and a sum
_HALF: Final = _NUMBER // 2
_BOOT: Final = 64  # bytes of the boot's name
_HEAD: Final = _NUMBER + _BOOT
_START: Final = b"[["  # of every entry
_END: Final = bytes(_NUMBER)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[list[Intent], list[Step]]).decode


class Intake:
    """The one way into an audit. Every method raises AuditError."""

    def __init__(self, audit: Audit, path: str, fd: int) -> None:
        self.audit = audit
        self._path = path
        self._fd = fd
        self._intents: list[Intent] = []
        self._steps: list[Step] = []
        self._released = False  # a release waits: calls that come after it count what it cost
        self._at = 0  # where the next entry goes
        self._filed_ns = -TRUST_NS
        self._failed = False

    @classmethod
    def open(cls, audit: Audit, path: str) -> Self:
        """Open the intake at `path`, and file what another engine left in it.

        `audit` is the intake's from now on: where this fails it is closed.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
        try:
            fd = os.open(path, flags, 0o600)
        except OSError as error:
            audit.close()
            raise audit_error(error, path) from error
        try:
            data = os.pread(fd, SIZE, 0)
            left = list(_entries(data, audit.seq))
            intents = [intent for entry in left for intent in entry[0]]
            boot = data[_NUMBER:_HEAD].rstrip(b"\0").decode("ascii", "replace")
            audit.write(intents, [step for entry in left for step in entry[1]], boot=boot)
            if os.fstat(fd).st_size < SIZE:
                _write(fd, bytes(SIZE), 0)
        except (OSError, msgspec.MsgspecError, AuditError) as error:
            os.close(fd)
            audit.close()
            if isinstance(error, AuditError):
                raise
            raise audit_error(error, path) from error
        return cls(audit, path, fd)

    @property
    def waiting(self) -> int:
        """How many entries are recorded and not yet filed."""
        return len(self._intents) + len(self._steps)

    def write(self, intents: Sequence[Intent], steps: Sequence[Step] = ()) -> None:
        """Record calls and steps, all or none of them. After an error none of it is kept.

        Calls must come in the order of their numbers. The first calls after a pause, and large
        ones, are filed at once.
        """
        if self._failed or (intents and self._released):
            self.file()
        pause = bool(intents) and intents[0].steady_ns - self._filed_ns > TRUST_NS
        many = len(intents) + len(steps) >= FILE_AT
        entry = b"" if pause or many else _encode((intents, steps))
        if pause or many or len(entry) > SIZE - self._at - _HEAD - 2 * _NUMBER:
            self.file()
            self.audit.write(intents, steps)
            self._filed_ns = _newest(intents, steps)
            return
        head = len(entry).to_bytes(_HALF, "little") + zlib.crc32(entry).to_bytes(_HALF, "little")
        data = head + entry + _END
        if self._at == 0:
            boot = self.audit.boot.encode("ascii", "replace")[:_BOOT].ljust(_BOOT, b"\0")
            data = self.audit.seq.to_bytes(_NUMBER, "little") + boot + data
        try:
            _write(self._fd, data, self._at)
        except OSError as error:
            raise audit_error(error, self._path) from error
        self._at += len(data) - _NUMBER
        self._intents += intents
        self._steps += steps
        if steps and not self._released:
            self._released = any(step.kind == RELEASED for step in steps)

    def note_tools(self, events: Sequence[ToolEvent]) -> None:
        """Record what became of tools' definitions, after all that waits. Filed at once: rare."""
        self.file()
        self.audit.note_tools(events)

    def file(self) -> None:
        """File what waits. When this fails it waits on, and `write` fails until it works."""
        if self.waiting:
            self._failed = True
            self.audit.write(self._intents, self._steps)
            self._filed_ns = _newest(self._intents, self._steps)
            self._intents, self._steps, self._at = [], [], 0
            self._released = False
        self._failed = False

    def close(self) -> None:
        """File what waits, and close intake and audit."""
        try:
            self.file()
        finally:
            os.close(self._fd)
            self.audit.close()


def _newest(intents: Sequence[Intent], steps: Sequence[Step]) -> int:
    """The steady time of the newest of some entries."""
    return max([entry[-1].steady_ns for entry in (intents, steps) if entry])


def _entries(data: bytes, seq: int) -> Iterator[tuple[list[Intent], list[Step]]]:
    """The entries of an intake that an audit with `seq` rows does not have yet.

    All entries were filed together or not at all. A last one that is not whole was never acted on.
    """
    if not data or int.from_bytes(data[:_NUMBER], "little") < seq:
        return
    at = _HEAD
    while size := int.from_bytes(data[at : at + _HALF], "little"):
        entry = data[at + _NUMBER : at + _NUMBER + size]
        if zlib.crc32(entry) != int.from_bytes(data[at + _HALF : at + _NUMBER], "little"):
            if not entry.startswith(_START):
                raise msgspec.DecodeError("this is no intake")
            return
        yield _decode(entry)
        at += _NUMBER + size


def _write(fd: int, data: bytes, at: int) -> None:
    """Write all of it. Raises OSError, for a full disk that takes only a part too."""
    if os.pwrite(fd, data, at) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
