import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.helpers.limits import LIMIT_S


@pytest.fixture
def path() -> Iterator[str]:
    """Where a control socket fits: temporary directories of tests are too deep for that."""
    with tempfile.TemporaryDirectory(prefix="mw") as directory:
        Path(directory).chmod(0o700)
        yield f"{directory}/engine.sock"


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Run a test's coroutine to its end, on each kind of loop."""

    def run(test: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(test, LIMIT_S))

    return run
