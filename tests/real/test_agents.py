"""Agents' own command lines read what `mcpwall init` wrote, and find the wall behind it."""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import ECHO, environment, mcpwall, status
from tests.real.conftest import place

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

Lister = Callable[..., str]
SERVER = {"command": ECHO[0], "args": [*ECHO[1:]], "env": {"CANARY": "canary-secret"}}


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home, where commands run in a project."""
    (tmp_path / "dev" / "acme").mkdir(parents=True)
    for name in [*os.environ]:
        if name.startswith(("XDG_", "CLAUDE", "CODEX", "GEMINI")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "dev"))
    monkeypatch.setenv("GEMINI_CLI_TRUST_WORKSPACE", "true")
    monkeypatch.chdir(tmp_path / "dev" / "acme")
    return tmp_path / "dev"


@pytest.fixture
def agent(user: Path, home: Path) -> Lister:
    """Run an agent's own command; what it says, without colours."""
    bin_ = place("MCPWALL_TEST_NPM") / ".bin"

    def run(*words: str) -> str:
        done = subprocess.run(
            [str(bin_ / words[0]), *words[1:]],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
            timeout=LIMIT_S,
        )
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", done.stdout)

    return run


def written(file: Path, text: str) -> Path:
    """A file of the user's."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_claude_code_reaches_its_server_through_the_wall(
    user: Path, home: Path, agent: Lister
) -> None:
    file = written(user / ".claude.json", json.dumps({"mcpServers": {"echo": SERVER}}, indent=2))
    assert re.search(r"echo: .* Connected", agent("claude", "mcp", "list"))
    mcpwall(home, "init", "--yes")
    said = agent("claude", "mcp", "list")
    assert re.search(r"echo: /usr/bin/env .*mcpwall stdio echo -- .* Connected", said)
    assert [server["name"] for server in status(home)["servers"]] == ["echo"]
    mcpwall(home, "uninstall", "--yes")  # the agent has written to its file in between
    assert json.loads(file.read_text())["mcpServers"] == {"echo": SERVER}
    assert re.search(r"echo: (?!.*mcpwall).* Connected", agent("claude", "mcp", "list"))


def test_codex_reads_the_routed_servers(user: Path, home: Path, agent: Lister) -> None:
    words = ", ".join(json.dumps(word) for word in ECHO[1:])
    text = (
        "# mine\n[mcp_servers.echo] # local\ncommand = "
        f'"{ECHO[0]}"\nargs = [\n  {words},\n]\nenv.CANARY = "x"\n\n'
        '[mcp_servers.far]\nurl = "https://far.example.com/mcp"\nbearer_token_env_var = "TOKEN"\n'
    )
    file = written(user / ".codex" / "config.toml", text)
    before = json.loads(lines_of_json(agent("codex", "mcp", "list", "--json")))
    mcpwall(home, "init", "--yes", "--raise-timeouts")
    after = json.loads(lines_of_json(agent("codex", "mcp", "list", "--json")))
    assert [one["name"] for one in before] == [one["name"] for one in after] == ["echo", "far"]
    echo, far = (one["transport"] for one in after)
    assert [one["tool_timeout_sec"] for one in after] == [900, 900]
    assert far["type"] == "stdio"
    assert far["args"][-2:] == ["stdio", "far"]
    assert echo["args"][-len(ECHO) - 3 :] == ["stdio", "echo", "--", *ECHO]
    assert echo["env"] == {"CANARY": "x"}
    servers = tomllib.loads((home / "config.toml").read_text())["servers"]
    assert servers["far"]["headers"] == {"Authorization": "Bearer ${env:TOKEN}"}
    mcpwall(home, "uninstall", "--yes")
    assert file.read_text() == text


def lines_of_json(said: str) -> str:
    """What a command printed, without warnings before it."""
    return said[said.index("[\n") :]


def test_gemini_reaches_its_server_through_the_wall(user: Path, home: Path, agent: Lister) -> None:
    text = json.dumps({"mcpServers": {"echo": SERVER}, "ui": {"theme": "GitHub"}}, indent=2)
    text = text.replace('"ui"', '// colours\n  "ui"')
    file = written(user / ".gemini" / "settings.json", text)
    assert re.search(r"echo: .* \(stdio\) - Connected", agent("gemini", "mcp", "list"))
    mcpwall(home, "init", "--yes")
    said = agent("gemini", "mcp", "list")
    assert re.search(r"echo: /usr/bin/env .*mcpwall stdio echo -- .* - Connected", said)
    mcpwall(home, "uninstall", "--yes")
    assert file.read_text() == text


def test_qwen_reaches_its_server_through_the_wall(user: Path, home: Path, agent: Lister) -> None:
    text = json.dumps({"mcpServers": {"echo": SERVER}}, indent=2)
    file = written(user / ".qwen" / "settings.json", text)
    assert re.search(r"echo: .* \(stdio\) - Connected", agent("qwen", "mcp", "list"))
    mcpwall(home, "init", "--yes")
    said = agent("qwen", "mcp", "list")
    assert re.search(r"echo: /usr/bin/env .*mcpwall stdio echo -- .* - Connected", said)
    mcpwall(home, "uninstall", "--yes")
    assert json.loads(file.read_text())["mcpServers"] == {"echo": SERVER}


@pytest.mark.parametrize("keys", [("mcp",), ("mcp", "servers")], ids=["first", "second"])
def test_opencode_reaches_its_server_through_the_wall(
    user: Path, home: Path, agent: Lister, keys: tuple[str, ...]
) -> None:
    data: object = {"echo": {"type": "local", "command": list(ECHO), "environment": {"A": "b"}}}
    for key in reversed(keys):
        data = {key: data}
    text = f"// mine\n{json.dumps(data, indent=2)}\n"
    file = written(user / ".config" / "opencode" / "opencode.jsonc", text)
    mcpwall(home, "init", "--yes")
    said = agent("opencode", "mcp", "list")
    assert re.search(r"✓ echo connected", said)
    assert re.search(r"/usr/bin/env .*mcpwall stdio echo -- ", said)
    assert [server["name"] for server in status(home)["servers"]] == ["echo"]
    mcpwall(home, "uninstall", "--yes")
    assert file.read_text() == text


def test_copilot_reads_the_routed_servers(user: Path, home: Path, agent: Lister) -> None:
    far = {"type": "http", "url": "https://far.example.com/mcp", "tools": ["*"]}
    servers = {"echo": {"type": "local", **SERVER, "tools": ["*"]}, "far": far}
    text = json.dumps({"mcpServers": servers}, indent=2)
    file = written(user / ".copilot" / "mcp-config.json", text)
    mcpwall(home, "init", "--yes")
    said = json.loads(agent("copilot", "mcp", "list", "--json"))["mcpServers"]
    assert said["echo"]["args"][-len(ECHO) - 3 :] == ["stdio", "echo", "--", *ECHO]
    assert said["far"]["args"][-2:] == ["stdio", "far"]
    mcpwall(home, "uninstall", "--yes")
    assert file.read_text() == text
