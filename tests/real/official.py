"""Official clients run as processes, and the ways on which they reach a server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import ROOT, environment, mcpwall, wall
from tests.real.conftest import place

HERE = Path(__file__).with_name("clients")

Task = dict[str, Any]  # what a client needs to know to reach a server

CONFIG = """\
[defaults]
write = "allow"
execute = "allow"
destructive = "allow"
financial = "allow"
unknown = "allow"

[http]
listen = "127.0.0.1:0"

[servers.it]
"""

# name -> command, and what goes into the task
CLIENTS = {
    "python-1": ("MCPWALL_TEST_MCP1", {}),
    "python-2": ("", {"mode": "legacy"}),
    "python-2-stateless": ("", {"mode": "auto"}),
    "typescript-1": ("MCPWALL_TEST_NPM", {"sdk": 1}),
    "typescript-2": ("MCPWALL_TEST_NPM", {"sdk": 2, "mode": "legacy"}),
    "typescript-2-stateless": ("MCPWALL_TEST_NPM", {"sdk": 2, "mode": {"pin": "2026-07-28"}}),
}
_VARYING = (
    (re.compile(r"\b\d{1,2}:\d\d:\d\d\s[AP]M"), "TIME"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "SESSION"),
)


def server(name: str) -> list[str]:
    """The command of a server, short of its last word: `stdio`, or for HTTP see `listening`."""
    if name == "everything":
        package = place("MCPWALL_TEST_NPM") / "@modelcontextprotocol" / "server-everything"
        return ["node", str(package / "dist" / "index.js")]
    return [sys.executable, str(HERE / "server.py")]


def listening(name: str) -> AbstractContextManager[Task]:
    """A server behind a URL, and the task of reaching it."""
    return started([*server(name), *(["streamableHttp"] if name == "everything" else [])])


@contextmanager
def started(command: Sequence[str]) -> Iterator[Task]:
    """A server that listens on the port that is its last argument, and in PORT."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [*command, str(port)],
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(port)
            yield {"url": f"http://127.0.0.1:{port}/mcp", "headers": {}}
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    late = time.monotonic() + LIMIT_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        assert time.monotonic() < late, "the server does not listen"
        time.sleep(0.05)


def configure(home: Path, task: Task) -> None:
    """Put the server that this task reaches into the config of a wall, as `it`."""
    if "url" in task:
        reach = f"url = {json.dumps(task['url'])}"
    else:
        reach = f"command = {json.dumps(task['command'])}"
    (home / "config.toml").write_text(f"{CONFIG}{reach}\n")


def by_pipe(home: Path) -> Task:
    """To the configured server through the wall, as an agent that starts its servers."""
    return {"command": wall("it"), "env": environment(home)}


@contextmanager
def by_url(home: Path) -> Iterator[Task]:
    """To the configured server through the wall, as an agent that takes URLs."""
    command = [sys.executable, "-m", "mcpwall", "engine"]
    with subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE) as engine:
        try:
            assert engine.stdout is not None
            engine.stdout.readline()  # it listens
            told = json.loads(mcpwall(home, "url", "it", "--json"))
            yield {"url": told["url"], "headers": told["headers"]}
        finally:
            engine.terminate()


def run(client: str, server_name: str, task: Task) -> Any:
    """All that a client makes of a server, without what differs from run to run."""
    variable, more = CLIENTS[client]
    if client.startswith("python"):
        python = str(place(variable) / "python") if variable else sys.executable
        command: Sequence[str] = [python, "-W", "ignore", str(HERE / "client.py")]
    else:
        command = [_node(), str(HERE / "client.mjs")]
        more = {**more, "modules": str(place(variable))}
    whole = {"env": dict(os.environ), "mode": "legacy", **task, **more, "server": server_name}
    done = subprocess.run(
        [*command, json.dumps(whole)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout
    for pattern, word in _VARYING:
        told = pattern.sub(word, told)
    return json.loads(told)


def _node() -> str:
    found = shutil.which("node")
    assert found, "these tests need node"
    return found
