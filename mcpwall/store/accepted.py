"""The rules file as it was last in force, kept so that an edit made while no engine ran is seen.

A copy of config.toml in the state directory, as private as the file itself. Without it, whoever
can end the engine could loosen the rules before the next one starts, and nobody would be asked.
"""

from __future__ import annotations

from pathlib import Path

from mcpwall.store import files
from mcpwall.store.config import Config, ConfigError, load_text


class Accepted:
    """The copy at `path`."""

    def __init__(self, path: str) -> None:
        self._path = path

    def config(self, file: str) -> Config | None:
        """What was last in force of the rules file known as `file`; None before the first time.

        A copy that another version of mcpwall wrote and this one cannot read counts as none.
        Raises UnsafeFileError for one that somebody else could have written.
        """
        if not Path(self._path).exists():
            return None
        try:
            return load_text(files.read_checked(self._path), file)
        except ConfigError:
            return None

    def keep(self, text: str) -> str:
        """Remember what is in force now; returns '' or why that could not be done."""
        try:
            files.write_atomic(self._path, text)
        except (OSError, files.UnsafeFileError) as error:
            return f"an edit of the rules while no engine runs would wait for a key: {error}"
        return ""
