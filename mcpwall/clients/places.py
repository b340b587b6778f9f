"""Where programs keep their settings on this platform, for this user and this project. Pure.

Everything that is known of the machine is in `Places`, so that a test can be on any of the three
platforms. The rules are those of the platforms: the XDG base directories, Apple's
`Application Support`, Windows' roaming `AppData`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """One user on one machine; `platform` is as in `sys.platform`, `project` where they work."""

    platform: str
    home: Path
    project: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def named(self, variable: str) -> Path | None:
        """What a variable names, if it is set."""
        value = self.variables.get(variable, "")
        return Path(value) if value else None

    def variable(self, name: str, *fallback: str) -> Path:
        """The directory that a variable names, or one below the home."""
        return self.named(name) or self.home.joinpath(*fallback)

    @property
    def config(self) -> Path:
        """XDG's directory, which many programs use on macOS too."""
        return self.variable("XDG_CONFIG_HOME", ".config")

    @property
    def roaming(self) -> Path:
        """Windows' `%APPDATA%`."""
        return self.variable("APPDATA", "AppData", "Roaming")

    @property
    def applications(self) -> Path:
        """Where desktop programs keep a directory of their own."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        return self.roaming if self.platform == "win32" else self.config

    def shown(self, path: Path) -> str:
        """A path as a person writes it: from the project or the home where that is shorter.

        A project that the home lies in (`/`) shortens nothing: `home/you/x` is nobody's path.
        """
        if path.is_relative_to(self.project) and not self.home.is_relative_to(self.project):
            return str(path.relative_to(self.project))
        if path.is_relative_to(self.home):
            return f"~/{path.relative_to(self.home)}"
        return str(path)
