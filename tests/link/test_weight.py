"""What an app or a command loads for its end of the socket."""

import subprocess
import sys

import pytest

from tests.helpers.programs import environment

HEAVY = {"mcp", "uvloop", "sqlite3", "textual", "tomlkit", "re2", "anyio"}


def loaded(module: str) -> set[str]:
    code = (
        f"import sys; before = set(sys.modules); import {module}; print(*set(sys.modules) - before)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


@pytest.mark.parametrize("module", ["mcpwall.link.client", "mcpwall.link.sync"])
def test_a_client_loads_the_port_and_nothing_else_of_the_engine(module):
    modules = loaded(module)
    assert "mcpwall.engine.port" in modules
    of_the_engine = {name for name in modules if name.startswith("mcpwall.engine.")}
    assert {name for name in of_the_engine if not name.startswith("mcpwall.engine.port")} == set()
    assert "mcpwall.link.server" not in modules
    assert not {name.partition(".")[0] for name in modules} & HEAVY


def test_a_command_that_asks_and_prints_loads_no_event_loop():
    assert "asyncio" not in loaded("mcpwall.link.sync")
