"""P18 with real servers: through the wall an agent gets what it would get directly."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from mcpwall.protocol.codec import tidy_server_line
from tests.helpers.programs import environment, wall
from tests.helpers.raw_client import HANDSHAKE, STATELESS, RawClient
from tests.real.conftest import Commands

pytestmark = pytest.mark.real

ALLOW_ALL = """\
[defaults]
write = "allow"
execute = "allow"
destructive = "allow"
financial = "allow"
unknown = "allow"

[[rules]]
id = "counted"
tool = "*"
rate_limit = { max = 1000, window = 60 }
"""

SERVERS = ("filesystem", "git", "time")
Calls = Sequence[tuple[str, dict[str, Any]]]


def calls(server: str, project: Path) -> Calls:
    """Calls of a server's tools whose answers do not depend on when they are made."""
    notes = str(project / "notes.txt")
    table: dict[str, Calls] = {
        "filesystem": [
            ("list_allowed_directories", {}),
            ("read_text_file", {"path": notes}),
            ("write_file", {"path": str(project / "new.txt"), "content": "a\r\nb\u2028 \\ ☃"}),
            ("read_multiple_files", {"paths": [notes, str(project / "new.txt")]}),
            ("directory_tree", {"path": str(project / "sub")}),
            ("read_text_file", {"path": "/etc/hostname"}),
            ("read_text_file", {"path": 7}),
        ],
        "git": [
            ("git_status", {"repo_path": str(project)}),
            ("git_log", {"repo_path": str(project), "max_count": 3}),
            ("git_show", {"repo_path": str(project), "revision": "HEAD"}),
            ("git_branch", {"repo_path": str(project), "branch_type": "local"}),
            ("git_show", {"repo_path": str(project), "revision": "nowhere"}),
            ("git_status", {"repo_path": "/"}),
        ],
        "time": [
            (
                "convert_time",
                {
                    "source_timezone": "Europe/Berlin",
                    "time": "12:30",
                    "target_timezone": "Asia/Tokyo",
                },
            ),
            ("convert_time", {"source_timezone": "Mars/Base", "time": "1", "target_timezone": "x"}),
            ("get_current_time", {"timezone": "Mars/Base"}),
        ],
        "everything": [
            ("echo", {"message": "☃ \u202e \x1b[31m"}),
            ("get-sum", {"a": 2, "b": 3}),
            ("get-tiny-image", {}),
            ("get-annotated-message", {"messageType": "error", "includeImage": True}),
            ("trigger-long-running-operation", {"duration": 0.2, "steps": 2}),
        ],
    }
    return table[server]


def raw_lines(command: list[str], home: Path, protocol: str, project: Path, work: Calls) -> list:
    """Every line that a raw client gets, as it came."""
    roots = {"roots": [{"uri": project.as_uri(), "name": "project"}]}
    with RawClient(
        command,
        env=environment(home),
        cwd=project,
        protocol=protocol,
        answers={"roots/list": lambda _params: roots},
    ) as client:
        client.open()
        if "filesystem" in " ".join(command):
            client.message("roots/list")
        client.request("tools/list")
        for tool, arguments in work:
            client.call(tool, arguments)
        client.request("no/such/method")
        assert client.finish() == 0
        return client.lines


def uncached(line: bytes) -> object:
    """A message without how long it may be cached, which is the wall's to say."""
    message = json.loads(line)
    for key in ("ttlMs", "cacheScope"):
        message.get("result", {}).pop(key, None)
    return message


@pytest.mark.parametrize("server", SERVERS)
def test_p18_a_raw_client_gets_the_same_bytes(
    server: str, command: Commands, home: Path, project: Path
) -> None:
    (home / "config.toml").write_text(ALLOW_ALL)
    work = calls(server, project)
    direct = raw_lines(command(server), home, HANDSHAKE, project, work)
    walled = raw_lines(wall(server, *command(server)), home, HANDSHAKE, project, work)
    assert walled == [tidy_server_line(line) for line in direct]


@pytest.mark.parametrize("server", ["git", "time"])
def test_p18_a_raw_stateless_client_gets_the_same_answers(
    server: str, command: Commands, home: Path, project: Path
) -> None:
    (home / "config.toml").write_text(ALLOW_ALL)
    work = calls(server, project)
    direct = raw_lines(command(server), home, STATELESS, project, work)
    walled = raw_lines(wall(server, *command(server)), home, STATELESS, project, work)
    assert [uncached(line) for line in walled] == [uncached(line) for line in direct]
    changed = [one for one, other in zip(walled, direct, strict=True) if one != other]
    assert all(b'"ttlMs":0' in line for line in changed)


async def official(command: list[str], home: Path, project: Path, mode: str, work: Calls) -> list:
    """What the official client makes of everything it gets."""
    start = StdioServerParameters(
        command=command[0], args=command[1:], env=environment(home), cwd=project
    )
    async with Client(start, mode=mode, cache=None) as client:
        got: list[object] = [client.protocol_version, client.server_info.model_dump()]
        tools = (await client.list_tools()).model_dump(exclude={"ttl_ms", "cache_scope"})
        got.append(tools)
        for tool, arguments in work:
            try:
                got.append((await client.call_tool(tool, arguments)).model_dump())
            except Exception as error:  # noqa: BLE001 — the same error is part of the same answer
                got.append(repr(error))
        return got


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize("server", [*SERVERS, "everything"])
def test_p18_the_official_client_gets_the_same_answers(
    server: str, mode: str, command: Commands, home: Path, project: Path
) -> None:
    (home / "config.toml").write_text(ALLOW_ALL)
    work = calls(server, project)
    direct = asyncio.run(official(command(server), home, project, mode, work))
    walled = asyncio.run(official(wall(server, *command(server)), home, project, mode, work))
    assert walled == direct
