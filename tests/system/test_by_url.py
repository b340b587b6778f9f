"""A running engine and its port for agents by URL: opened, moved, taken by somebody else."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import ECHO, environment, mcpwall, status
from tests.system.processes import wait_for

SERVER = f"[servers.echo]\ncommand = {json.dumps([*ECHO])}\n"


@contextmanager
def engine(home: Path, http: str) -> Iterator[None]:
    """An engine with this `[http]`, until the block ends."""
    (home / "config.toml").write_text(f"{SERVER}\n[http]\n{http}\n")
    command = [sys.executable, "-m", "mcpwall", "engine"]
    with subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"listening" in process.stdout.readline()
        try:
            yield
        finally:
            process.terminate()


def asked(where: str, **headers: str) -> int:
    """The status that a request at this address gets."""
    connection = HTTPConnection(where, timeout=LIMIT_S)
    try:
        connection.request("POST", "/s/echo/mcp", b"{}", {"Host": where, **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def told(home: Path) -> dict:
    """What `mcpwall url` prints for programs."""
    return json.loads(mcpwall(home, "url", "echo", "--json"))


def test_p16_a_stranger_is_refused_by_a_real_engine(home):
    with engine(home, 'listen = "127.0.0.1:0"'):
        (where,) = status(home)["engine"]["http"]["addresses"]
        way = told(home)
        assert way["url"] == f"http://{where}/s/echo/mcp"
        assert way["listening"] is True
        json_body = {"Content-Type": "application/json"}
        assert asked(where, **json_body) == 401
        assert asked(where, **json_body, Authorization="Bearer x") == 401
        assert asked(where, **json_body, **way["headers"], Origin="http://evil.example") == 403
        assert asked(where, **way["headers"]) == 415
        assert asked(where, **json_body, **way["headers"]) == 400  # {} is no message of MCP


def test_a_taken_port_ends_nothing_and_an_edit_of_the_config_moves_the_port(home):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with engine(home, f'listen = "127.0.0.1:{port}"'):
            shown = status(home)
            assert shown["running"] is True
            assert f"cannot listen on 127.0.0.1:{port}" in shown["engine"]["http"]["error"]
            assert told(home)["listening"] is False
            (home / "config.toml").write_text(f'{SERVER}\n[http]\nlisten = "127.0.0.1:0"\n')
            wait_for(lambda: told(home)["listening"], "the other port")
            assert status(home)["engine"]["http"]["error"] == ""
            assert asked(told(home)["url"].split("/")[2]) == 401


def test_switched_off_nobody_listens(home):
    with engine(home, 'listen = "off"'):
        assert status(home)["engine"]["http"] == {"addresses": [], "error": ""}
        assert not (home / "state" / "http.token").exists()
