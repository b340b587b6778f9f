"""A yes that outlives the process: a file that is there, or is not. The lockdown is one."""

from __future__ import annotations

import os
from pathlib import Path


class Mark:
    """Whether the file at `path` is there; one that cannot be looked for counts as there."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        try:
            self._path.lstat()
            self.on = True
        except FileNotFoundError:
            self.on = False
        except OSError:
            self.on = True

    def set(self, on: bool) -> str:
        """Say yes or no, at once; returns '' or why this will not outlive the process."""
        self.on = on
        try:
            if on:
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            return f"{self._path}: {error.strerror}"
        return ""
