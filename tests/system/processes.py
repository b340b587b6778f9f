"""Real processes as the tests see them: who lives, who is in whose group, and how to kill them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mcpwall.engine.port import Snapshot
from mcpwall.engine.port_calls import Older, Row, Rows
from mcpwall.link import sync
from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import environment

STEP_S = 0.01  # between two looks at what no descriptor tells


def wait_for(holds: Callable[[], Any], what: str, timeout: float = LIMIT_S) -> Any:
    """Wait for something that only looking can tell: a file, the kernel's list of processes."""
    deadline = time.monotonic() + timeout
    while not (value := holds()):
        assert time.monotonic() < deadline, f"{what}: not within {timeout} s"
        select.select([], [], [], STEP_S)
    return value


def run(command: Sequence[str], home: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command of the wall to its end; its exit code is the test's to look at."""
    pipe = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    options = {**pipe, "text": True, "timeout": 30, **options}
    return subprocess.run(command, env=environment(home), check=False, **options)


def engine_pid(home: Path) -> int:
    """The engine of that home, as it wrote in its lock."""
    return int((home / "state" / "engine.lock").read_text())


def kill_engine(home: Path) -> int:
    """kill -9 the engine and wait until it is dead; returns its pid."""
    pid = engine_pid(home)
    with_exit = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        assert select.select([with_exit], [], [], LIMIT_S)[0], "the engine outlives SIGKILL"
    finally:
        os.close(with_exit)
    return pid


def children(pid: int) -> list[int]:
    """The living children of a process."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(word) for word in text.split() if _state(int(word)) not in "ZX"]


def group(pgid: int) -> list[int]:
    """The living processes of a process group."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _state(int(entry.name)) not in "ZX":
            try:
                if os.getpgid(int(entry.name)) == pgid:
                    members.append(int(entry.name))
            except ProcessLookupError:
                continue
    return members


def server_of(shim: int) -> int:
    """The server that a shim has started (the engine, if it started that too, has left)."""
    (server,) = wait_for(
        lambda: [pid for pid in children(shim) if os.getsid(pid) == os.getsid(shim)],
        "the server's start",
    )
    return server


def rss_mb(pid: int) -> float:
    """The memory of a process in use, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no memory")


def snapshot(home: Path) -> Snapshot:
    """What the engine of that home knows."""
    path = str(home / "state" / "engine.sock")
    return sync.ask("snapshot", None, Snapshot, path=path)


def remembered(home: Path) -> list[Row]:
    """All calls that the engine of that home remembers, not only those of a snapshot."""
    path = str(home / "state" / "engine.sock")
    now = snapshot(home)
    rows, left = now.rows, now.left
    while left:
        piece = sync.ask("send", Older(rows[0].id), Rows, path=path)
        rows, left = piece.rows + rows, piece.left
    return list(rows)


def _state(pid: int) -> str:
    """The state of a process as a letter, "X" when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"
