"""Real Redis and PostgreSQL servers for tests, each on a free port of loopback, gone at the end.

They come from Debian's packages redis-server and postgresql; without them these tests are skipped,
in continuous integration (`CI=true`) they fail. PostgreSQL does not run as root, so as root it runs
as `nobody`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pytest

from tests.helpers.limits import LIMIT_S

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
NOBODY = "nobody"


class Server:
    """A server process on a directory of its own; it may be stopped and started again."""

    command: Sequence[str]
    url: str

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="store-"))
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = (self.place / "log").open("ab")
        self.options: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGKILL)
        self.log.close()
        shutil.rmtree(self.place, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            self.command,
            stdout=self.log,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_the_tests,  # noqa: PLW1509  it only asks the kernel for a signal
            **self.options,
        )
        for _ in range(int(LIMIT_S * 20)):
            if self.answers():
                return
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        raise AssertionError(f"no start: {(self.place / 'log').read_text()[-2000:]}")

    def stop(self, number: int) -> None:
        """Stop it with a signal and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(LIMIT_S)
            self.process = None

    def freeze(self) -> None:
        """Let it keep its connections and do nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def answers(self) -> bool:
        raise NotImplementedError


class RedisServer(Server):
    """Redis that keeps what it was told on disk before it says so."""

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.command = [
            *(_program("redis-server", "valkey-server"), "--port", str(self.port)),
            *("--bind", "127.0.0.1", "--dir", str(self.place), "--appendonly", "yes"),
            *("--appendfsync", "always", "--save", "", *options),
        ]

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                line.sendall(b"PING\r\n")
                return line.recv(100).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False


class PostgresServer(Server):
    """PostgreSQL with one database and a user who may do everything."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"postgresql://wall@127.0.0.1:{self.port}/postgres"
        data = self.place / "data"
        if os.geteuid() == 0:
            shutil.chown(self.place, NOBODY)
            self.options = {"user": NOBODY, "extra_groups": [], "cwd": "/"}
        subprocess.run(
            [_program("initdb"), "-D", data, "-U", "wall", "--auth=trust", "--no-sync"],
            check=True,
            capture_output=True,
            **self.options,
        )
        self.command = [
            *(_program("postgres"), "-D", str(data), "-p", str(self.port), "-h", "127.0.0.1"),
            *("-k", str(self.place), "-c", "max_connections=20"),
        ]

    def answers(self) -> bool:
        ready = [_program("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(ready, check=False).returncode == 0

    def freeze(self) -> None:
        """Freeze the server with the processes that serve its connections."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all of them go on."""
        self._signal_all(signal.SIGCONT)

    def stop(self, number: int) -> None:
        """Stop at once: with SIGKILL the processes that serve connections go by themselves."""
        if self.process is not None:
            self._signal_all(signal.SIGCONT)
        super().stop(signal.SIGQUIT if number == signal.SIGKILL else number)

    def _signal_all(self, number: int) -> None:
        assert self.process is not None
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):  # a child may have ended since
                os.kill(each, number)


def _die_with_the_tests() -> None:
    """Have the kernel end this process should the tests be killed before they could."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _program(*names: str) -> str:
    """The path of the first of these programs that is there."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([*map(str, places), os.environ.get("PATH", os.defpath)])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    missing = f"{' or '.join(names)} is not here; run: apt-get install redis-server postgresql"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
