"""`mcpwall url`: what it prints, and what it says when nobody would answer there."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from mcpwall import home as places
from mcpwall.cli import main
from mcpwall.engine.port import Http
from tests.link.memory_port import EMPTY, MemoryPort, Wall

CONFIG = '[servers.git]\ncommand = ["git"]\n[servers."a b"]\ncommand = ["x"]\n'


@pytest.fixture
def own(home, monkeypatch):
    """A wall's home with two servers, in which no engine runs."""
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    home.joinpath("config.toml").write_text(CONFIG)
    return home


def with_engine(http: Http, *arguments: str) -> int:
    """Run `mcpwall url` while an engine says this of its HTTP."""

    async def both() -> int:
        status = replace(EMPTY.status, http=http)
        async with Wall(places.socket_file(), MemoryPort(replace(EMPTY, status=status))):
            return await asyncio.to_thread(main.run, ["url", *arguments])

    return asyncio.run(both())


def test_url_and_header_are_printed_for_pasting(own, capsys):
    Path(places.state_dir()).mkdir(mode=0o700)
    assert with_engine(Http(("127.0.0.1:7001", "[::1]:7001")), "a b") == 0
    said = capsys.readouterr()
    url, header = said.out.splitlines()
    assert url == "http://127.0.0.1:7001/s/a%20b/mcp"
    assert header == f"Authorization: Bearer {Path(places.http_token_file()).read_text().strip()}"
    assert said.err == ""


def test_programs_get_json(own, capsys):
    Path(places.state_dir()).mkdir(mode=0o700)
    assert with_engine(Http(("127.0.0.1:7001",)), "git", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["url"] == "http://127.0.0.1:7001/s/git/mcp"
    assert told["headers"]["Authorization"].startswith("Bearer ")
    assert told["listening"] is True


def test_without_an_engine_it_says_so_beside(own, capsys):
    assert main.run(["url", "git"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("http://127.0.0.1:6279/s/git/mcp\nAuthorization: Bearer ")
    assert "no engine runs" in said.err
    assert main.run(["url", "git", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["listening"] is False
    assert "no engine runs" in told["error"]


def test_an_engine_that_does_not_listen_says_why(own, capsys):
    Path(places.state_dir()).mkdir(mode=0o700)
    assert with_engine(Http(error="127.0.0.1:6279 is taken"), "git") == 0
    assert "127.0.0.1:6279 is taken" in capsys.readouterr().err


def test_an_unknown_server_is_an_error_that_names_those_there_are(own, capsys):
    assert main.run(["url", "gti"]) == 2
    assert "has no server 'gti' (it has git, a b)" in capsys.readouterr().err


def test_switched_off_is_an_error(own, capsys):
    own.joinpath("config.toml").write_text(f'{CONFIG}[http]\nlisten = "off"\n')
    assert main.run(["url", "git"]) == 1
    assert 'listen is "off"' in capsys.readouterr().err


def test_p17_a_token_that_others_may_read_is_not_printed(own, capsys):
    assert main.run(["url", "git"]) == 0
    token = Path(places.http_token_file())
    token.chmod(0o644)
    capsys.readouterr()
    assert main.run(["url", "git"]) == 1
    said = capsys.readouterr()
    assert token.read_text().strip() not in said.out + said.err
    assert "others may read it" in said.err
