"""A wall's home in tests, and that at its end there is no process that knows it.

On macOS `ps` tells the environments of processes, on Linux /proc does.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import environment

DONE, NO_ENGINE = 0, 3

STEP_S = 0.01  # between two looks at the kernel's list


@contextmanager
def a_home() -> Iterator[Path]:
    """An empty MCPWALL_HOME whose engine is stopped at the end; fails if a process stays."""
    place = Path(tempfile.mkdtemp(prefix="wall-"))
    try:
        yield place
        if (place / "state").exists():
            _end(place)
    finally:
        left = processes("MCPWALL_HOME", place)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(place)


def processes(variable: str, place: Path) -> dict[int, str]:
    """The command lines of the living processes in whose environment `variable` is this place."""
    if sys.platform == "darwin":
        return _told_by_ps(f"{variable}={place}")
    found = {}
    setting = b"\0%b=%b\0" % (variable.encode(), bytes(place))
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # it has just ended, or is not ours
            if entry.name.isdigit() and setting in b"\0" + (entry / "environ").read_bytes():
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(entry.name)] = command.decode(errors="replace").strip()
    return found


def _end(place: Path) -> None:
    """Stop the engine there, one that is still starting too; raises AssertionError."""
    late = time.monotonic() + LIMIT_S
    while True:
        if (place / "state" / "engine.sock").exists():
            stop = [sys.executable, "-m", "mcpwall", "stop"]
            run = subprocess.run(stop, env=environment(place), check=False, timeout=LIMIT_S)
            assert run.returncode in (DONE, NO_ENGINE), "a test left an engine that does not stop"
        if not (left := processes("MCPWALL_HOME", place)):
            return
        assert time.monotonic() < late, f"a test left processes: {left}"
        select.select([], [], [], STEP_S)


def _told_by_ps(setting: str) -> dict[int, str]:
    listing = ["ps", "-Aww", "-E", "-o", "pid=,args="]
    told = subprocess.run(listing, capture_output=True, check=True).stdout
    found = {}
    for line in told.decode(errors="replace").splitlines():
        pid, _, command = line.strip().partition(" ")
        if setting in command.split(" "):
            found[int(pid)] = command
    return found
