"""Where the real servers are: `MCPWALL_TEST_NPM`, `MCPWALL_TEST_SERVERS`, `MCPWALL_TEST_MCP1`.

The first is a `node_modules` directory, the others are `bin` directories of virtual environments,
as `.ci/run` makes them; the last has the official Python package in version 1.
Without them these tests are skipped, in continuous integration (`CI=true`) they fail.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Commands = Callable[[str], list[str]]


def place(variable: str) -> Path:
    """The directory that a variable names; skips or fails the test without it."""
    value = os.environ.get(variable, "")
    if not Path(value or "/nowhere").is_dir():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say(f"{variable} is {value!r}, not a directory: .ci/run shows how to make it")
    return Path(value)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small git repository to work on, the same on each run."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "notes.txt").write_text("first line\nzweite Zeile ☃\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "data.json").write_text('{"a": 1}\n')
    who = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-qm", "one"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


@pytest.fixture
def command(project: Path) -> Commands:
    """The command line of a real server by name."""

    def find(name: str) -> list[str]:
        if name in ("filesystem", "everything"):
            package = place("MCPWALL_TEST_NPM") / "@modelcontextprotocol" / f"server-{name}"
            start = ["node", str(package / "dist" / "index.js")]
            return [*start, str(project)] if name == "filesystem" else [*start, "stdio"]
        binary = str(place("MCPWALL_TEST_SERVERS") / f"mcp-server-{name}")
        return [binary, *(["-r", str(project)] if name == "git" else ["--local-timezone", "UTC"])]

    return find
