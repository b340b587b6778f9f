"""A home that goes away under a running engine, and a socket that does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.homes import processes
from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import environment
from tests.system.conftest import OPEN_RULES
from tests.system.processes import engine_pid, group, server_of, snapshot, wait_for


@pytest.fixture
def scratch(home: Path) -> Iterator[Path]:
    """A home that a test may take away, and a place beside it."""
    beside = home.with_name(f"{home.name}-moved")
    yield home
    shutil.rmtree(beside, ignore_errors=True)
    home.mkdir(exist_ok=True)


@pytest.mark.parametrize("how", ["removed", "moved", "replaced"])
def test_an_engine_whose_home_is_gone_ends_its_sessions_and_says_why(scratch, agent, rules, how):
    rules(OPEN_RULES)
    moved = scratch.with_name(f"{scratch.name}-moved")
    with agent() as client:
        client.open()
        server = server_of(client.process.pid)
        call = client.start_call("slow", {"gate": "never"})
        client.request("ping")  # the server has the call before it
        if how == "removed":
            shutil.rmtree(scratch)
        else:
            scratch.rename(moved)
        if how == "replaced":
            scratch.mkdir()
        why = f"its files in {scratch / 'state'} were removed or replaced"
        assert why in call.wait()["error"]["message"]
        client.process.wait(LIMIT_S)
        assert why in client.stderr
    wait_for(lambda: not processes("MCPWALL_HOME", scratch), "the engine's end")
    assert not group(server)
    if how == "moved":
        (said,) = (moved / "state" / "engine.log").read_text().splitlines()
        assert said.startswith("mcpwall: the wall has ended")
    if how == "replaced":
        assert not list(scratch.iterdir())
    else:
        assert not scratch.exists()


def test_an_engine_in_the_foreground_without_a_home_fails(scratch):
    command = [sys.executable, "-m", "mcpwall", "engine"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment(scratch), **pipes) as engine:
        assert "listening" in engine.stdout.readline()
        shutil.rmtree(scratch)
        assert engine.wait(LIMIT_S) == 1
        (said,) = engine.stderr.read().splitlines()
    assert "removed or replaced" in said


def test_a_socket_that_was_removed_is_there_again(home, agent, rules):
    rules(OPEN_RULES)
    with agent() as client:
        client.open()
        engine = engine_pid(home)
        socket = home / "state" / "engine.sock"
        socket.unlink()
        wait_for(socket.exists, "the socket")
        (session,) = snapshot(home).sessions
        assert session.server == "echo"
        assert engine_pid(home) == engine
        assert "result" in client.call("echo")
        assert client.finish() == 0
