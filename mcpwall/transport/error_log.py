"""What a server says on stderr, in a file of bounded size, safe to look at in a terminal."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

from mcpwall import text

SIZE_MAX: Final = 1024 * 1024  # bytes; what was before is kept once more, as NAME.log.1
LINE_MAX: Final = 8 * 1024  # bytes of one line
_READ: Final = 64 * 1024


class ErrorLog:
    """Reads a pipe until its end and appends each line, made visible, to a file."""

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, path: Path) -> None:
        """Read `fd`, which is this object's from now on. Raises OSError for an unusable file."""
        self._loop = loop
        self._fd = fd
        self._path = path
        self._part = b""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(path, flags, 0o600)
        os.set_blocking(fd, False)
        loop.add_reader(fd, self._readable)

    def close(self) -> None:
        """Stop reading."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            os.close(self._file)
            self._fd = -1

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        *lines, self._part = (self._part + data).split(b"\n")
        if len(self._part) > LINE_MAX or (not data and self._part):
            lines.append(self._part)
            self._part = b""
        try:
            self._write(lines)
        except OSError:
            self.close()  # a full disk: what the server says is lost, not the server
            return
        if not data:
            self.close()

    def _write(self, lines: list[bytes]) -> None:
        said = "".join(
            text.visible(line[:LINE_MAX].decode(errors="replace")) + "\n" for line in lines
        )
        if said:
            os.write(self._file, said.encode())
        if os.fstat(self._file).st_size > SIZE_MAX:
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            os.close(self._file)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.open(self._path, flags, 0o600)
