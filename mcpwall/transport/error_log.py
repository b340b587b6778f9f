"""What a server says on stderr, in a file of bounded size, safe to look at in a terminal.

One file for each server, `NAME.log`; all sessions of the server append to it. P13, P17.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from mcpwall import text

SIZE_MAX: Final = 1024 * 1024  # bytes; what was before is kept once more, as NAME.log.1
LINE_MAX: Final = 8 * 1024  # bytes of one line


def log_path(logs: Path, server: str) -> Path:
    """The file of a server, whatever it is called."""
    return logs / f"{quote(server, safe='')}.log"


class ErrorLog:
    """Appends each line, made visible, to a file. A file that cannot be written ends the log.

    `hide` takes secrets out of lines; what is left goes to the file, and to `tell` as it is, which
    is foreign text. P14.
    """

    def __init__(
        self, path: Path, hide: Callable[[str], str], tell: Callable[[list[str]], None]
    ) -> None:
        self._path = path
        self._hide = hide
        self._tell = tell
        self._part = b""
        self._broken = False

    def take(self, data: bytes) -> None:
        """The next bytes that the server said."""
        *lines, self._part = (self._part + data).split(b"\n")
        if len(self._part) > LINE_MAX:
            lines.append(self._part)
            self._part = b""
        self._write(lines)

    def close(self) -> None:
        """The server has said its last word, perhaps without a newline."""
        if self._part:
            self._write([self._part])
            self._part = b""

    def _write(self, lines: Sequence[bytes]) -> None:
        if not lines:
            return
        decoded = [line[:LINE_MAX].decode(errors="replace").rstrip("\r") for line in lines]
        decoded = self._hide("\n".join(decoded)).split("\n")  # a key can have many lines
        self._tell(decoded)
        if self._broken:
            return
        said = "".join(f"{text.visible(line)}\n" for line in decoded)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._path, flags, 0o600)
            try:
                os.write(file, said.encode())
                size = os.fstat(file).st_size
            finally:
                os.close(file)
            if size > SIZE_MAX:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        except OSError:
            self._broken = True  # a full disk: what the server says is lost, not the server
