"""What every test may use: a wall of its own, which is gone when the test ends.

No property depends on how fast the machine is, nor on what started the tests.
"""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.homes import a_home

settings.register_profile("wall", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wall")

# A shell's background job ignores these two, and so would all that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

# The path of a socket has about a hundred characters, and TMPDIR may be most of that.
os.environ["TMPDIR"] = tempfile.tempdir = "/tmp"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow tests first, so that no worker is left with one when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


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
