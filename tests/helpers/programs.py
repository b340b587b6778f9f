"""Commands that tests start: the echo server, and servers behind the wall."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.helpers.limits import LIMIT_S

ROOT = Path(__file__).resolve().parents[2]
ECHO = (sys.executable, "-I", "-S", str(Path(__file__).with_name("echo_server.py")))
_A_TERMINALS = ("COLUMNS", "LINES")  # of whoever started the tests: a test's has its own size


def wall(server: str, *command: str) -> list[str]:
    """What an agent runs in place of `command`: the shim in front of it."""
    return [
        sys.executable,
        "-m",
        "mcpwall",
        "stdio",
        server,
        *(["--", *command] if command else []),
    ]


def environment(home: Path | None = None, **echo: object) -> dict[str, str]:
    """This process's environment, with a wall's home of its own and the echo server's options.

    `environment(home, log=path, page=3)` sets ECHO_LOG and ECHO_PAGE.
    """
    added = {f"ECHO_{name.upper()}": str(value) for name, value in echo.items()}
    if home is not None:
        added["MCPWALL_HOME"] = str(home)
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    given = {name: value for name, value in os.environ.items() if name not in _A_TERMINALS}
    return {**given, "PYTHONPATH": path, **added}


def mcpwall(home: Path, *arguments: str) -> str:
    """What a command of the wall with that home prints; raises CalledProcessError."""
    command = [sys.executable, "-m", "mcpwall", *arguments]
    run = subprocess.run(
        command, env=environment(home), capture_output=True, text=True, check=True, timeout=LIMIT_S
    )
    return run.stdout


def status(home: Path) -> dict[str, Any]:
    """What `mcpwall status --json` says."""
    return json.loads(mcpwall(home, "status", "--json"))
