"""Somebody sets the machine's clock while walls run: real engines whose wall clock a file moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.programs import ECHO, environment, mcpwall, wall
from tests.helpers.raw_client import RawClient
from tests.system.conftest import OPEN_RULES
from tests.system.processes import kill_engine, wait_for

HOUR_S = 3_600

# Loaded by every Python process of the test's walls; the steady clock stays the machine's.
MOVED_CLOCK = """
import os, time
_true = time.time_ns

def _moved():
    with open(os.environ["MCPWALL_TEST_CLOCK"]) as file:
        return _true() + int(file.read()) * 1_000_000_000

time.time_ns = _moved
"""

Rules = Callable[[str], Path]


@pytest.fixture
def set_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set the wall clock of all processes that start from now on, and set it again at any time."""
    place, offset = tmp_path / "clock", tmp_path / "offset"
    place.mkdir()
    (place / "sitecustomize.py").write_text(MOVED_CLOCK)

    def set_to(seconds: int) -> None:
        new = offset.with_suffix(".new")
        new.write_text(str(seconds))
        new.rename(offset)

    set_to(0)
    monkeypatch.setenv("MCPWALL_TEST_CLOCK", str(offset))
    monkeypatch.setenv("PYTHONPATH", str(place))
    return set_to


def cause(client: RawClient) -> str | None:
    """Why a call was refused, None if it ran."""
    verdict = client.call("echo")["result"].get("_meta", {}).get("mcpwall/verdict")
    return verdict and verdict["cause"]


@pytest.mark.parametrize("jump_s", [2 * HOUR_S, -2 * HOUR_S])
@pytest.mark.parametrize("restart", ["", "kill", "stop"])
def test_p09_a_clock_that_jumps_frees_no_quota(
    home: Path, rules: Rules, set_clock: Callable[[int], None], jump_s: int, restart: str
) -> None:
    rules(OPEN_RULES + '\n[[rules]]\nid = "three"\ntool = "echo"\nrate_limit = "3/hour"\n')
    with RawClient(wall("echo", *ECHO), env=environment(home)) as client:
        client.open()
        assert [cause(client) for _ in range(4)] == [None, None, None, "limit"]
        set_clock(jump_s)
        assert cause(client) == "limit"
        set_clock(-jump_s)
        assert cause(client) == "limit"
        if restart == "kill":
            kill_engine(home)
            assert cause(client) == "limit"
    if restart == "stop":
        mcpwall(home, "stop")
    with RawClient(wall("echo", *ECHO), env=environment(home)) as another:
        another.open()
        assert cause(another) == "limit"
    log = mcpwall(home, "log", "-n", "20").splitlines()
    hours = {line[:13] for line in log}
    assert len(hours) > 1, "the clock was not moved"


def test_p09_a_clock_that_is_set_back_holds_no_quota_for_ever(
    home: Path, rules: Rules, set_clock: Callable[[int], None]
) -> None:
    rules(OPEN_RULES + '\n[[rules]]\nid = "one"\ntool = "echo"\nrate_limit = "1/1s"\n')
    with RawClient(wall("echo", *ECHO), env=environment(home)) as client:
        client.open()
        assert cause(client) is None
        set_clock(-2 * HOUR_S)
        wait_for(lambda: cause(client) is None, "the window to end by the steady clock")
