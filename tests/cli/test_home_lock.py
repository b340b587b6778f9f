"""The lock of a home: one engine holds it, and knows when its home has gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mcpwall.cli.errors import CliError
from mcpwall.cli.home_lock import HomeGoneError, HomeLock


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MCPWALL_HOME", str(tmp_path))
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    return state


@pytest.fixture
def lock(state: Path) -> Iterator[HomeLock]:
    assert state.is_dir()
    with closing(HomeLock.take()) as lock:
        yield lock


def test_one_engine_takes_it_and_the_next_reads_who_has_it(lock: HomeLock, state: Path) -> None:
    lock.check()
    pid = (state / "engine.lock").read_text().strip()
    with pytest.raises(CliError, match=rf"an engine runs already \(pid {pid}, .*mcpwall stop"):
        HomeLock.take()


def test_it_can_be_taken_again_once_it_is_closed(state: Path) -> None:
    assert state.is_dir()
    HomeLock.take().close()
    HomeLock.take().close()


def test_a_home_that_is_removed_moved_or_another_is_gone(lock: HomeLock, state: Path) -> None:
    moved = state.rename(state.with_name("moved"))
    with pytest.raises(HomeGoneError, match=r"its files in .*state were removed or replaced"):
        lock.check()
    state.write_text("no directory")
    with pytest.raises(HomeGoneError):
        lock.check()
    state.unlink()
    shutil.copytree(moved, state)
    with pytest.raises(HomeGoneError):
        lock.check()
    shutil.rmtree(state)
    moved.rename(state)
    lock.check()


def test_what_cannot_be_seen_counts_as_there(
    lock: HomeLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(*_: object, **__: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr("mcpwall.cli.home_lock.os.stat", hidden)
        lock.check()


def test_what_fails_because_the_home_is_gone_says_so(lock: HomeLock, state: Path) -> None:
    with pytest.raises(KeyError), lock.explaining():
        raise KeyError("another reason")
    shutil.rmtree(state)
    with pytest.raises(HomeGoneError), lock.explaining():
        raise OSError("unable to open database file")
