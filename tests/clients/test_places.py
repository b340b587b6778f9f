"""Where each agent's servers are looked for, and the other ways in which some agents write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcpwall.clients import document, plan, undo
from mcpwall.clients.places import Places
from mcpwall.clients.survey import survey
from tests.clients.machine import WALL, own_reading, places

SERVER = {"command": "npx", "args": ["-y", "x"]}
LOCAL = {"type": "local", "command": ["npx", "-y", "x"]}


def put(file: Path, data: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data, indent=2))
    return file


def seen(at: Places) -> list[tuple[str, str, list[str]]]:
    """Agent, file and server names of all that is found."""
    return [
        (found.agent.id, at.shown(found.place.file), [entry.name for entry in found.entries])
        for found in survey(at)
    ]


def routed_and_back(at: Places) -> object:
    """What the one file that there is says with its servers routed; it goes back to the byte."""
    (found,) = survey(at)
    wanted = [plan.Routing(entry, entry.name) for entry in found.entries]
    assert not [entry.why_not for entry in found.entries if entry.why_not]
    before = found.place.file.read_bytes()
    change = plan.change(found.document, wanted, WALL, "now")
    document.write(change.after, change.before)
    after = own_reading(found.place.file)
    now = document.read(found.place.file)
    document.write(undo.put_back(now, change.records)[0], now)
    assert found.place.file.read_bytes() == before
    return after


# --- places -------------------------------------------------------------------------------------

ONE = {"mcpServers": {"fs": SERVER}}
USERS = {
    "kiro": (".kiro/settings/mcp.json", ONE),
    "windsurf": (".codeium/mcp_config.json", ONE),
    "trae": (".config/Trae CN/User/mcp.json", ONE),
    "cline": (".cline/data/settings/cline_mcp_settings.json", ONE),
    "opencode": (".opencode/opencode.jsonc", {"mcp": {"fs": LOCAL}}),
    "continue": (".continue/agents/mine.yaml", {"mcpServers": [{"name": "fs", **SERVER}]}),
    "vscode": (".config/VSCodium/User/profiles/day/mcp.json", {"servers": {"fs": SERVER}}),
}
PROJECTS = {
    "kiro": (".kiro/settings/mcp.json", ONE),
    "trae": (".trae/mcp.json", ONE),
    "claude-code": (".mcp.json", ONE),
    "cursor": (".cursor/mcp.json", ONE),
    "gemini": (".gemini/settings.json", ONE),
    "qwen": (".qwen/settings.json", ONE),
    "copilot": (".github/mcp.json", ONE),
    "opencode": (".opencode/opencode.json", {"mcp": {"fs": LOCAL}}),
    "continue": (".continue/mcpServers/deep/one.json", ONE),
    "vscode": (".vscode/mcp.json", {"servers": {"fs": SERVER}}),
    "zed": (".zed/settings.json", {"context_servers": {"fs": SERVER}}),
}


@pytest.mark.parametrize(("agent", "file", "data"), [(k, *v) for k, v in USERS.items()])
def test_a_users_file(tmp_path, agent, file, data):
    put(tmp_path / file, data)
    assert seen(places(tmp_path)) == [(agent, f"~/{file}", ["fs"])]


@pytest.mark.parametrize(("agent", "file", "data"), [(k, *v) for k, v in PROJECTS.items()])
def test_a_projects_file(tmp_path, agent, file, data):
    put(tmp_path / "acme" / file, data)
    assert seen(places(tmp_path)) == [(agent, file, ["fs"])]


def test_a_codex_project(tmp_path):
    file = tmp_path / "acme" / ".codex" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[mcp_servers.fs]\ncommand = "x"\n')
    assert seen(places(tmp_path)) == [("codex", ".codex/config.toml", ["fs"])]


@pytest.mark.parametrize(
    ("variable", "value", "file", "data"),
    [
        ("QWEN_HOME", "q", "q/settings.json", ONE),
        ("GEMINI_CLI_HOME", "g", "g/.gemini/settings.json", ONE),
        ("COPILOT_HOME", "c", "c/mcp-config.json", ONE),
        ("CLINE_DIR", "c", "c/data/settings/cline_mcp_settings.json", ONE),
        ("CLINE_DATA_DIR", "d", "d/settings/cline_mcp_settings.json", ONE),
        ("CLINE_MCP_SETTINGS_PATH", "mine.json", "mine.json", ONE),
        ("OPENCODE_CONFIG", "mine.jsonc", "mine.jsonc", {"mcp": {"fs": LOCAL}}),
        ("OPENCODE_CONFIG_DIR", "o", "o/opencode.json", {"mcp": {"fs": LOCAL}}),
        ("CLAUDE_CONFIG_DIR", "c", "c/.claude.json", ONE),
    ],
)
def test_a_place_that_a_variable_names(tmp_path, variable, value, file, data):
    put(tmp_path / file, data)
    at = Places("linux", tmp_path, tmp_path / "acme", {variable: str(tmp_path / value)})
    assert [(path, names) for _, path, names in seen(at)] == [(f"~/{file}", ["fs"])]


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_an_editors_settings_on_each_platform(tmp_path, platform):
    at = places(tmp_path, platform)
    user = at.applications / "Code" / "User"
    put(user / "settings.json", {"mcp": {"servers": {"fs": SERVER}}, "editor.tabSize": 2})
    put(user / "profiles" / "a1" / "settings.json", {"mcp.servers": {"git": SERVER}})
    names = [names for agent, _, names in seen(at) if agent == "vscode"]
    assert names == [["fs"], ["git"]]


def test_a_file_for_other_things_is_listed_only_with_servers(tmp_path):
    at = places(tmp_path)
    put(at.applications / "Code" / "User" / "settings.json", {"editor.tabSize": 2})
    put(at.home / ".continue" / "agents" / "a.yaml", {"models": []})
    put(at.config / "opencode" / "config.json", {"theme": "x"})
    assert seen(at) == []


def test_one_file_that_two_agents_read_is_listed_once(tmp_path):
    put(tmp_path / ".cursor" / "mcp.json", ONE)
    at = Places("linux", tmp_path, tmp_path)
    assert seen(at) == [("cursor", "~/.cursor/mcp.json", ["fs"])]


# --- ways of writing ----------------------------------------------------------------------------


def test_servers_in_an_editors_settings(tmp_path):
    at = places(tmp_path)
    put(
        at.applications / "Code" / "User" / "settings.json",
        {"mcp": {"inputs": [], "servers": {"fs": {"type": "stdio", **SERVER}}}, "a": 1},
    )
    after = routed_and_back(at)
    assert after["mcp"]["servers"]["fs"]["args"] == ["stdio", "fs", "--", "npx", "-y", "x"]
    assert after["mcp"]["inputs"] == []


def test_clines_table_in_an_entry(tmp_path):
    at = places(tmp_path)
    stdio = {"type": "stdio", **SERVER, "env": {"K": "v"}}
    http = {"type": "streamableHttp", "url": "https://a.example/mcp"}
    put(
        tmp_path / ".cline/data/settings/cline_mcp_settings.json",
        {"mcpServers": {"fs": {"transport": stdio, "disabled": False}, "far": {"transport": http}}},
    )
    servers = routed_and_back(at)["mcpServers"]
    assert servers["fs"]["disabled"] is False
    assert servers["fs"]["transport"] == {
        "type": "stdio",
        "command": WALL[0],
        "args": ["stdio", "fs", "--", "npx", "-y", "x"],
        "env": {"K": "v"},
    }
    assert servers["far"]["transport"]["type"] == "stdio"
    assert servers["far"]["transport"]["args"] == ["stdio", "far"]


def test_a_longer_time_out_stands_in_clines_entry_not_in_the_table(tmp_path):
    put(
        tmp_path / ".cline/data/settings/cline_mcp_settings.json",
        {"mcpServers": {"fs": {"transport": {"type": "stdio", **SERVER}}}},
    )
    (found,) = survey(places(tmp_path))
    change = plan.change(found.document, [plan.Routing(found.entries[0], "fs", 900)], WALL, "now")
    server = json.loads(change.after.text)["mcpServers"]["fs"]
    assert server["timeout"] == 900
    assert "timeout" not in server["transport"]


@pytest.mark.parametrize(
    ("entry", "routable"),
    [
        ({"url": "https://a.example/mcp"}, False),  # Cline takes it for the older transport
        ({"url": "https://a.example/mcp", "transportType": "http"}, True),
        ({"url": "https://a.example/mcp", "type": "streamableHttp"}, True),
        ({"url": "https://a.example/mcp", "transportType": "sse"}, False),
    ],
)
def test_clines_older_word_for_a_transport(tmp_path, entry, routable):
    put(tmp_path / ".cline/data/settings/cline_mcp_settings.json", {"mcpServers": {"far": entry}})
    (found,) = survey(places(tmp_path))
    assert bool(found.entries[0].why_not) is not routable


def test_opencodes_second_version(tmp_path):
    at = places(tmp_path)
    put(
        at.config / "opencode" / "opencode.json",
        {"mcp": {"timeout": {"request": 5}, "servers": {"fs": {**LOCAL, "disabled": False}}}},
    )
    servers = routed_and_back(at)["mcp"]["servers"]
    assert servers["fs"]["command"] == [*WALL, "stdio", "fs", "--", "npx", "-y", "x"]


def test_a_server_of_opencodes_first_version_that_is_called_servers(tmp_path):
    at = places(tmp_path)
    put(at.config / "opencode" / "opencode.json", {"mcp": {"servers": LOCAL, "fs": LOCAL}})
    assert [entry.name for found in survey(at) for entry in found.entries] == ["servers", "fs"]


def test_a_login_that_stands_beside_the_table_is_seen(tmp_path):
    http = {"type": "streamableHttp", "url": "https://a.example/mcp"}
    put(
        tmp_path / ".cline/data/settings/cline_mcp_settings.json",
        {"mcpServers": {"far": {"transport": http, "oauth": {"accessToken": "canary"}}}},
    )
    (found,) = survey(places(tmp_path))
    assert "it says how to log in" in found.entries[0].why_not


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"url": "https://a.example/mcp", "type": {"http": 1}}, "its type is {'http': 1}"),
        ({"url": "https://a.example/mcp", "type": []}, ""),
        ({"url": "https://a.example/mcp", "args": []}, "it has both a URL and args"),
        ({"url": "https://a.example/mcp", "command": "x"}, "it has both a command and a url"),
    ],
)
def test_an_odd_entry_says_why_it_is_left_alone(tmp_path, entry, says):
    put(tmp_path / ".cursor" / "mcp.json", {"mcpServers": {"odd": entry, "fs": SERVER}})
    (found,) = survey(places(tmp_path))
    odd, fs = found.entries
    assert says in odd.why_not
    assert bool(odd.why_not) is bool(says)
    assert not fs.why_not


def test_strings_among_the_servers_of_a_list_are_passed_over(tmp_path):
    one = {"name": "fs", **SERVER}
    put(tmp_path / ".continue" / "mcpServers" / "a.json", {"mcpServers": ["x", one, 1]})
    after = routed_and_back(places(tmp_path))
    assert after["mcpServers"][1]["args"] == ["stdio", "fs", "--", "npx", "-y", "x"]


@pytest.mark.parametrize(
    ("project", "path", "shown"),
    [
        ("/home/dev/acme", "/home/dev/acme/.mcp.json", ".mcp.json"),
        ("/home/dev/acme", "/home/dev/.claude.json", "~/.claude.json"),
        ("/home/dev/acme", "/opt/x.json", "/opt/x.json"),
        ("/home/dev", "/home/dev/.claude.json", "~/.claude.json"),
        ("/home", "/home/dev/.claude.json", "~/.claude.json"),
        ("/", "/srv/.mcp.json", "/srv/.mcp.json"),
        ("/srv/app", "/srv/app/.mcp.json", ".mcp.json"),
    ],
)
def test_a_path_is_shown_as_a_person_writes_it(project, path, shown):
    at = Places("linux", Path("/home/dev"), Path(project))
    assert at.shown(Path(path)) == shown
