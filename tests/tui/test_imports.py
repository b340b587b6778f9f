from __future__ import annotations

import subprocess
import sys

from tests.helpers.programs import environment

_LOAD_ALL = """
import importlib, pkgutil, sys
import mcpwall.tui
for module in pkgutil.walk_packages(mcpwall.tui.__path__, "mcpwall.tui."):
    importlib.import_module(module.name)
print(*sys.modules)
"""


def test_no_part_of_the_app_loads_an_sdk_or_the_inside_of_the_engine() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOAD_ALL],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(done.stdout.split())
    assert "mcpwall.tui.screens.calls" in modules
    own = {name for name in modules if name.startswith("mcpwall.")}
    of_the_engine = {name for name in own if name.startswith("mcpwall.engine.")}
    assert {name for name in of_the_engine if not name.startswith("mcpwall.engine.port")} == set()
    assert {name.split(".")[1] for name in own} <= {"engine", "model", "query", "text", "tui"}
    assert not modules & {"mcp", "sqlite3", "uvloop", "tomlkit"}
