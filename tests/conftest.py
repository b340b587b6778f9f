"""What every test may use: a wall of its own, which is gone when the test ends.

No property depends on how fast the machine is.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.programs import environment

DONE, NO_ENGINE = 0, 3

settings.register_profile("wall", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wall")


@contextmanager
def a_home() -> Iterator[Path]:
    """An empty MCPWALL_HOME with a path short enough for a socket; its engine is stopped."""
    place = Path(tempfile.mkdtemp(prefix="wall-"))
    try:
        yield place
        if (place / "state" / "engine.sock").exists():
            stop = [sys.executable, "-m", "mcpwall", "stop"]
            run = subprocess.run(stop, env=environment(place), check=False, timeout=30)
            assert run.returncode in (DONE, NO_ENGINE), "a test left an engine that does not stop"
    finally:
        shutil.rmtree(place)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home for the wall of this test."""
    with a_home() as place:
        yield place


@pytest.fixture
def other_home() -> Iterator[Path]:
    """A home for a second wall."""
    with a_home() as place:
        yield place
