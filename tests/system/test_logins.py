"""Logins with the official pieces on both sides: the SDK's authorization server, and its client."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.helpers.authorization_server import browse
from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import environment, mcpwall
from tests.system.conftest import OPEN_RULES

RULES = """
[http]
listen = "127.0.0.1:0"

[servers.far]
url = "{url}"
oauth = true
"""


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A guarded server; its parameter is how many seconds a token lasts."""
    command = [sys.executable, "-m", "tests.helpers.guarded_server"]
    said = {**environment(), "LIFETIME": str(request.param)}
    with subprocess.Popen(command, env=said, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.kill()


class Wall:
    """A wall in front of that server, with a keyring in a file."""

    def __init__(self, home: Path, keyring: Path) -> None:
        self.home = home
        backend = {"PYTHON_KEYRING_BACKEND": "tests.helpers.keyring_file.FileKeyring"}
        self.environment = {**environment(home), **backend, "KEYRING_FILE": str(keyring)}

    def run(self, *arguments: str) -> str:
        """A command that succeeds; what it says."""
        command = [sys.executable, "-m", "mcpwall", *arguments]
        done = subprocess.run(
            command,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        return done.stdout

    def log_in(self) -> str:
        """Log in as a person does who says yes to all; what the command says in the end."""
        command = [sys.executable, "-m", "mcpwall", "login", "far", "--no-browser"]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, env=self.environment, text=True, **pipes) as login:
            assert login.stdout is not None
            page = next(line.strip() for line in login.stdout if line.startswith("http"))
            asyncio.run(browse(page))
            return login.stdout.read()

    def add(self, one: int, other: int, *, rounds: int = 1) -> list[str]:
        """What the server's tool answers an official client."""
        told = json.loads(mcpwall(self.home, "url", "far", "--json"))

        async def ask() -> list[str]:
            async with (
                asyncio.timeout(LIMIT_S),
                httpx2.AsyncClient(headers=told["headers"], timeout=LIMIT_S) as http,
                Client(streamable_http_client(told["url"], http_client=http), cache=None) as client,
            ):
                answers = []
                for _ in range(rounds):
                    result = await client.call_tool("add", {"one": one, "other": other})
                    answers.append(result.content[0].text)
                return answers

        return asyncio.run(ask())


@pytest.fixture
def wall(home, rules, url, tmp_path) -> Iterator[Wall]:
    rules(OPEN_RULES + RULES.format(url=url))
    made = Wall(home, tmp_path / "keyring.json")
    command = [sys.executable, "-m", "mcpwall", "engine"]
    with subprocess.Popen(command, env=made.environment, stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        assert b"listening" in engine.stdout.readline()
        yield made
        engine.terminate()


@pytest.mark.parametrize("url", [3600], indirect=True)
def test_a_login_in_the_keyring_serves_an_official_client(wall, tmp_path) -> None:
    assert wall.log_in() == "logged in at far; the login is kept in the keyring\n"
    assert wall.add(2, 3) == ["5"]
    assert not (wall.home / "state" / "logins").exists()
    # the SDK's server wants a client's secret here, also of clients that have none
    said = "logged out of far; its server did not take the revocation (HTTP 400): the token ends"
    assert wall.run("logout", "far") == f"{said} by itself\n"
    assert json.loads((tmp_path / "keyring.json").read_text()) == {}


@pytest.mark.parametrize("url", [1], indirect=True)
def test_a_token_that_ends_at_once_is_renewed_for_an_official_client(wall, tmp_path) -> None:
    wall.log_in()
    before = (tmp_path / "keyring.json").read_text()
    assert wall.add(2, 3, rounds=40) == ["5"] * 40
    while (tmp_path / "keyring.json").read_text() == before:
        wall.add(2, 3)
    assert wall.add(2, 3) == ["5"]
