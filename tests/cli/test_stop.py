import asyncio
import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mcpwall import home as places
from mcpwall.cli import main
from mcpwall.cli.stop import wait_until_free
from mcpwall.engine.port import Done, Refused, Reply, Snapshot, Stop
from mcpwall.engine.port_sessions import SessionRow
from tests.helpers.programs import environment
from tests.link.memory_port import EMPTY, MemoryPort, Wall


@pytest.fixture
def own(home, monkeypatch):
    """A wall's home in which no engine runs."""
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    monkeypatch.delenv("MCPWALL_DEBUG", raising=False)
    Path(places.state_dir()).mkdir(mode=0o700)
    return home


def session(number: int, ended: str = "") -> SessionRow:
    return SessionRow(
        f"s{number}", "a#1", "a", "1", "2025-11-25", "git", "stdio", 9, "/", 0, 0, 0, ended
    )


def with_sessions(*sessions: SessionRow) -> Snapshot:
    return Snapshot(0, EMPTY.status, (), (), (), sessions, (), EMPTY.totals)


@contextmanager
def engine_lock() -> Iterator[Callable[[], None]]:
    """The lock as an engine with pid 4711 holds it; gives what lets go of it."""
    with Path(places.lock_file()).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711\n")
        lock.flush()
        yield lambda: fcntl.flock(lock, fcntl.LOCK_UN)


def stop(port: MemoryPort, reply: Reply | None = None) -> int:
    """Run `mcpwall stop` while an engine with this port listens, which replies and ends."""

    async def both() -> int:
        with engine_lock() as let_go:

            async def end(command):
                let_go()
                return Done() if reply is None else reply

            port.answer = end
            async with Wall(places.socket_file(), port):
                return await asyncio.to_thread(main.run, ["stop"])

    return asyncio.run(both())


@pytest.mark.parametrize(
    ("sessions", "said"),
    [
        ((), "it had no sessions"),
        ((session(1), session(2, ended="exit 0")), "1 session ended"),
        ((session(1), session(2)), "2 sessions ended"),
    ],
)
def test_it_says_how_many_sessions_ended(own, capsys, sessions, said):
    port = MemoryPort(with_sessions(*sessions))
    assert stop(port) == 0
    assert port.sent == [Stop()]
    assert capsys.readouterr() == (f"the engine has stopped; {said}\n", "")


def test_an_engine_of_another_version_is_stopped_too(own, capsys, monkeypatch):
    monkeypatch.setattr("mcpwall.link.sync.__version__", "9.9")
    monkeypatch.setattr("mcpwall.link.errors.__version__", "9.9")
    port = MemoryPort()
    assert stop(port) == 0
    assert port.sent == [Stop()]
    assert capsys.readouterr().out == "the engine has stopped; its sessions ended\n"


def test_an_engine_that_refuses_is_reported(own, capsys):
    assert stop(MemoryPort(), Refused("not in this test")) == 1
    assert "refused to stop: not in this test" in capsys.readouterr().err


def test_an_engine_that_stays_is_reported_with_its_process(own, capsys, monkeypatch):
    monkeypatch.setattr("mcpwall.cli.stop._STEPS", 0)
    assert stop(MemoryPort()) == 1
    assert "(pid 4711) was told to stop but still runs" in capsys.readouterr().err


def test_no_engine_runs(own, capsys):
    assert main.run(["stop"]) == 3
    assert capsys.readouterr().err.startswith("mcpwall: no engine runs")


def test_an_engine_that_lost_its_socket_is_named(own, capsys):
    with engine_lock():
        assert main.run(["stop"]) == 1
    assert "an engine (pid 4711) runs but nobody can reach it" in capsys.readouterr().err


def test_it_waits_as_long_as_the_lock_is_held(tmp_path):
    path = tmp_path / "lock"
    assert wait_until_free(str(path))
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waits = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                fcntl.flock(lock, fcntl.LOCK_UN)

        assert wait_until_free(str(path), wait)
        assert len(waits) == 3
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not wait_until_free(str(path), waits.append)
        assert sum(waits) == pytest.approx(10, abs=0.1)


def test_a_real_engine_shows_its_status_and_stops(own):
    def mcpwall(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mcpwall", *arguments]
        return subprocess.run(
            command, env=environment(own), text=True, capture_output=True, check=False
        )

    engine = subprocess.Popen(
        [sys.executable, "-m", "mcpwall", "engine"],
        env=environment(own),
        text=True,
        stdout=subprocess.PIPE,
    )
    with engine:
        assert engine.stdout.readline().startswith("mcpwall engine: listening")
        status = mcpwall("status")
        assert (status.returncode, status.stderr) == (0, "")
        assert f"pid {engine.pid}" in status.stdout
        stopped = mcpwall("stop")
        assert (stopped.returncode, stopped.stderr) == (0, "")
        assert stopped.stdout == "the engine has stopped; it had no sessions\n"
    assert engine.returncode == 0
    assert not Path(places.socket_file()).exists()
    assert mcpwall("status").returncode == 3
    assert mcpwall("stop").returncode == 3
