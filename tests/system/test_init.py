"""From an agent's config to a guarded call and back: real processes from end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.far_server import far
from tests.helpers.programs import ECHO, environment, status
from tests.helpers.raw_client import RawClient

CONFIG = """\
{
  // mine
  "mcpServers": {
    "notes": {
      "command": %(program)s, "args": %(arguments)s,
      "env": { "ECHO_STDERR": "from its env" }
    },
    "far": { "url": %(url)s, "headers": { "Authorization": "Bearer ${env:FAR_TOKEN}" } },
  },
}
"""
FEW = ("HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER")  # what SDKs let a server inherit


@pytest.fixture
def user(tmp_path: Path) -> Path:
    (tmp_path / "dev" / ".cursor").mkdir(parents=True)
    return tmp_path / "dev"


def mcpwall(home: Path, user: Path, *arguments: str) -> str:
    """What a command says to this user."""
    env = {**environment(home), "HOME": str(user), "FAR_TOKEN": "t0p"}
    command = [sys.executable, "-m", "mcpwall", *arguments]
    done = subprocess.run(command, env=env, cwd=user, capture_output=True, text=True, check=True)
    return done.stdout


def started(user: Path, name: str, **inherited: str) -> RawClient:
    """What an agent does with an entry that passes few variables on."""
    file = user / ".cursor" / "mcp.json"
    text = file.read_text().replace("// mine", "").replace("},\n  },\n}", "}\n  }\n}")
    entry = json.loads(text)["mcpServers"][name]
    few = {name: os.environ[name] for name in FEW if name in os.environ}
    env = {**few, "HOME": str(user), **entry.get("env", {}), **inherited}
    return RawClient([entry["command"], *entry["args"]], env=env)


def test_from_nothing_to_guarded_and_back(home, user, rules):
    rules('[defaults]\nunknown = "allow"\n')
    file = user / ".cursor" / "mcp.json"
    with far(None) as server:
        program, *arguments = ECHO
        values = {"program": program, "arguments": arguments, "url": server.url}
        original = CONFIG % {key: json.dumps(value) for key, value in values.items()}
        file.write_text(original)
        assert "routed 2 servers of Cursor" in mcpwall(home, user, "init", "--yes")
        with started(user, "notes") as client:
            client.open()
            answer = client.call("echo", {"text": "hello"})
            assert answer["result"]["content"][0]["text"] == '{"text": "hello"}'
            assert client.finish() == 0
            assert client.stderr == "from its env\n"
        with started(user, "far", FAR_TOKEN="t0p") as client:
            client.open()
            assert "result" in client.call("look")
            assert client.finish() == 0
        assert [dict(seen.headers)["authorization"] for seen in server.calls] == ["Bearer t0p"]
    assert {one["name"]: one["calls"] for one in status(home)["servers"]} == {"notes": 1, "far": 1}
    assert "t0p" not in "".join(path.read_text() for path in home.rglob("*.toml"))
    mcpwall(home, user, "uninstall", "--yes")
    assert file.read_text() == original
    assert "servers" not in (home / "config.toml").read_text()
