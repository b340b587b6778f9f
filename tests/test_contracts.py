"""What the import contracts promise, shown at run time: what a fresh interpreter really loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from mcpwall.tui.app import WallApp
from tests.helpers.programs import ROOT, environment

PURE = ("policy", "protocol", "model.py", "query.py", "text.py")
OUTSIDE_WORLD = {"open", "print", "input", "exec", "eval", "compile", "breakpoint", "__import__"}


def loaded(statement: str) -> set[str]:
    """The modules that a statement adds to those of a fresh interpreter."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def roots(modules: set[str]) -> set[str]:
    """The top-level packages of modules."""
    return {name.partition(".")[0] for name in modules}


def test_the_shim_loads_the_standard_library_and_how_an_engine_starts() -> None:
    modules = loaded("import mcpwall.shim")
    own = {name for name in modules if name.startswith("mcpwall")}
    parts = ("shim", "server_process", "starter", "home")
    assert own == {"mcpwall", *(f"mcpwall.{part}" for part in parts)}
    assert roots(modules - own) <= set(sys.stdlib_module_names)
    assert not roots(modules) & {"asyncio", "typing", "logging", "json", "subprocess", "pathlib"}


def test_the_way_to_the_shim_loads_nothing_else() -> None:
    own = {name for name in loaded("import mcpwall.__main__") if name.startswith("mcpwall")}
    assert own <= {"mcpwall", "mcpwall.__main__"}


def test_the_app_loads_the_port_of_the_engine_and_nothing_else_of_it() -> None:
    screens = ", ".join(f"mcpwall.tui.screens.{scope}" for scope in WallApp.WALLS)
    modules = loaded(f"import mcpwall.tui.app, {screens}")
    engine = {name for name in modules if name.startswith("mcpwall.engine")}
    about = ("answers", "calls", "rules", "servers", "sessions", "timing", "tools")
    parts = ("port", *(f"port_{each}" for each in about))
    assert engine == {"mcpwall.engine", *(f"mcpwall.engine.{part}" for part in parts)}
    rooms = {name.split(".")[1] for name in modules if name.startswith("mcpwall.")}
    assert rooms == {"engine", "model", "query", "text", "tui"}
    assert not roots(modules) & {"mcp", "mcp_types", "uvloop", "sqlite3", "tomlkit", "re2"}


def test_the_engine_loads_neither_the_app_nor_an_sdk() -> None:
    modules = loaded("import mcpwall.cli.engine")
    assert "mcpwall.tui" not in modules
    assert not roots(modules) & {"mcp", "mcp_types", "textual", "rich", "pydantic", "anyio"}


def test_the_sdk_is_loaded_by_a_login_and_by_nothing_before_it() -> None:
    before = loaded("import mcpwall.cli.login, mcpwall.cli.logout, mcpwall.cli.loopback")
    assert not roots(before) & {"mcp", "httpx2", "aiohttp"}
    assert "mcp" in roots(loaded("import mcpwall.cli.oauth"))


def test_the_http_client_is_not_loaded_before_a_remote_server_is_asked() -> None:
    assert not roots(loaded("import mcpwall.transport.http.upstream")) & {"aiohttp", "keyring"}


def test_without_a_shared_store_no_driver_is_loaded() -> None:
    modules = loaded("import mcpwall.cli.engine")
    assert not roots(modules) & {"redis", "psycopg"}


def pure_files() -> list[Path]:
    places = [ROOT / "mcpwall" / name for name in PURE]
    return sorted(
        file for place in places for file in ([place] if place.suffix else place.rglob("*.py"))
    )


@pytest.mark.parametrize("file", pure_files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_pure_rooms_call_no_builtin_that_reaches_outside(file: Path) -> None:
    called = {
        node.func.id
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & OUTSIDE_WORLD


FIRST_FRAME = """
import asyncio, sys
from mcpwall.cli import app
from mcpwall.link.lasting import LastingPort
from mcpwall.tui.app import WallApp

async def leave(pilot):
    sys.stdout.write(" ".join(sys.modules))
    pilot.app.exit()

moved, config = app._written()
shown = WallApp(LastingPort(), moved=moved, settings=app._settings(config))
shown.run(headless=True, auto_pilot=leave)
"""


def test_the_first_frame_of_the_app_waits_for_nothing_that_it_does_not_show(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME],
        env=environment() | {"MCPWALL_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(run.stdout.split())
    screens = {name for name in modules if name.startswith("mcpwall.tui.screens.")}
    assert screens == {"mcpwall.tui.screens.base", "mcpwall.tui.screens.calls"}
    assert (
        not {"mcpwall.tui.widgets.rule_form", "mcpwall.tui.guard", "mcpwall.tui.palette"} & modules
    )
    store = {name for name in modules if name.startswith("mcpwall.store.")}
    assert store == {f"mcpwall.store.{part}" for part in ("app", "files", "forms")}
    rooms = {name.split(".")[1] for name in modules if name.startswith("mcpwall.")}
    assert not rooms & {"policy", "protocol", "transport", "clients", "importers", "demo"}
    assert not roots(modules) & {
        "argparse",
        "tomllib",
        "tomlkit",
        "re2",
        "sqlite3",
        "aiohttp",
        "mcp",
    }
