from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.programs import ECHO, environment, wall
from tests.helpers.raw_client import RawClient

OPEN_RULES = """\
[defaults]
write = "allow"
execute = "allow"
destructive = "allow"
financial = "allow"
unknown = "allow"
"""

Agent = Callable[..., RawClient]


@pytest.fixture
def rules(home: Path) -> Callable[[str], Path]:
    """Write the rules of this test's wall; returns their file."""

    def write(text: str) -> Path:
        path = home / "config.toml"
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def agent(home: Path) -> Agent:
    """A client whose server stands behind this test's wall: the echo server, or `command`.

    Other options: of RawClient, and of the echo server (`log=path`).
    """

    def make(*command: str, server: str = "echo", **options: Any) -> RawClient:
        mine = {"ends", "protocol", "name", "answers", "mute", "cwd"}
        own = {key: options.pop(key) for key in list(options) if key in mine}
        start = wall(server, *(command or ECHO))
        return RawClient(start, env=environment(home, **options), **own)

    return make
