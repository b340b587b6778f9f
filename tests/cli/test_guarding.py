"""Agents' files as the app gets them: what it lists, offers and writes is what `init` does."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import pytest

from mcpwall.cli import app, main, program
from mcpwall.cli.guarding import AgentFiles
from mcpwall.tui.guarding import AgentFile, GuardingError, Stand
from tests.clients.machine import FILES, SECRET, install, places


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A user's home with a project in it, where the app was started."""
    user = tmp_path / "dev"
    (user / "acme").mkdir(parents=True)
    for name in [*os.environ]:
        if name.startswith("XDG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("MCPWALL_HOME", str(tmp_path / "wall"))
    monkeypatch.chdir(user / "acme")
    monkeypatch.setattr(program, "installed", lambda: "/opt/tools/bin/mcpwall")
    return places(user)


def put(file: Path, **servers: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"mcpServers": servers}, indent=2) + "\n")
    return file


def only() -> AgentFile:
    (file,) = AgentFiles().files()
    return file


def test_a_file_is_listed_with_how_its_servers_stand(machine):
    put(
        machine.home / ".cursor" / "mcp.json",
        bare={"command": "npx", "args": ["-y", "a b"]},
        walled={"command": "mcpwall", "args": ["stdio", "walled", "--", "x"]},
        old={"url": "https://a.example/sse", "type": "sse"},
    )
    file = only()
    assert (file.path, file.agent) == ("~/.cursor/mcp.json", "Cursor")
    assert [(one.name, one.stand) for one in file.servers] == [
        ("bare", Stand.OPEN),
        ("walled", Stand.GUARDED),
        ("old", Stand.LEFT),
    ]
    assert file.command == "mcpwall stdio bare -- npx -y 'a b'"
    whys = [one.why for one in file.servers]
    assert whys[:2] == ["not guarded", "goes through the wall as walled"]
    assert whys[2].startswith("left alone: it is reached by the older")


def test_a_wall_of_the_project_s_own_counts_as_no_guard(machine):
    put(
        machine.project / ".mcp.json",
        here={"command": "./mcpwall", "args": ["stdio", "here", "--", "x"]},
        loose={
            "command": "mcpwall",
            "args": ["stdio", "loose", "--", "x"],
            "env": {"MCPWALL_HOME": "/tmp/loose"},
        },
    )
    assert [one.stand for one in only().servers] == [Stand.LEFT, Stand.LEFT]
    assert "whatever that is where the agent runs" in only().servers[0].why


def test_a_file_of_the_project_says_whose_it_is_too(machine):
    put(machine.project / ".mcp.json", fs={"command": "x"})
    assert only().path == ".mcp.json"
    assert "others who share it need mcpwall there too" in only().note


def test_a_file_that_does_not_parse_says_where(machine):
    file = put(machine.home / ".cursor" / "mcp.json")
    file.write_text("{\n x")
    assert ".cursor/mcp.json:2: " in only().problem
    assert only().servers == ()


def test_p14_a_command_that_may_hold_a_secret_is_not_offered_for_copying(machine):
    put(
        machine.home / ".cursor" / "mcp.json",
        one={"command": "npx", "args": ["--api-key=ghp_16C7e42F292c6912E7710c838347Ae178B4a"]},
        two={"command": "npx", "args": ["plain"]},
    )
    assert only().command == "mcpwall stdio two -- npx plain"


def test_what_is_offered_is_what_is_written_and_what_init_does(machine, capsys):
    file = install("cursor", machine)
    offer = AgentFiles().offer(only(), None)
    main.run(["init", "--dry-run"])
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if line in offer.diff] == list(offer.diff)
    assert file.read_bytes() == FILES["cursor"].read_bytes()
    said = offer.write()
    assert said[0] == "routed 2 servers of Cursor"
    assert any("~/.cursor/.mcpwall-backup/mcp.json.orig" in line for line in said)
    assert not only().count(Stand.OPEN)
    main.run(["uninstall", "--yes"])
    assert file.read_bytes() == FILES["cursor"].read_bytes()


def test_when_another_change_would_be_made_than_was_shown_none_is(machine):
    file = put(machine.home / ".cursor" / "mcp.json", fs={"command": "x", "args": ["a"]})
    offer = AgentFiles().offer(only(), None)
    before = file.read_text().replace('"a"', '"b"')
    file.write_text(before)
    with pytest.raises(GuardingError, match="changed in the meantime; look again"):
        offer.write()
    assert file.read_text() == before
    assert not list(machine.home.rglob(".mcpwall-backup"))


def test_what_was_written_elsewhere_in_the_file_since_stays(machine):
    file = put(machine.home / ".cursor" / "mcp.json", fs={"command": "x", "args": ["a"]})
    offer = AgentFiles().offer(only(), None)
    file.write_text(before := file.read_text() + "\n")
    offer.write()
    assert file.read_text().endswith("}\n\n")
    main.run(["uninstall", "--yes"])
    assert file.read_text() == before


def test_two_files_guarded_one_after_the_other_are_both_put_back(machine):
    cursor, gemini = install("cursor", machine), install("gemini", machine)
    one, two = AgentFiles().files()
    first, stale = AgentFiles().offer(one, None), AgentFiles().offer(two, None)
    first.write()
    with pytest.raises(GuardingError, match="look again"):
        stale.write()  # config.toml is another one now, and so is what it would get
    AgentFiles().offer(two, None).write()
    main.run(["uninstall", "--yes"])
    assert cursor.read_bytes() == FILES["cursor"].read_bytes()
    assert gemini.read_bytes() == FILES["gemini"].read_bytes()


def test_one_server_of_a_file_is_written_alone(machine):
    file = put(machine.home / ".claude.json", fs={"command": "x"}, db={"command": "y"})
    data = json.loads(file.read_text())
    data["projects"] = {"/p": {"mcpServers": {"fs": {"command": "z"}}}}
    file.write_text(before := json.dumps(data))
    local = next(one for one in only().servers if one.at == ("projects", "/p", "mcpServers", "fs"))
    AgentFiles().offer(only(), local).write()
    now = json.loads(file.read_text())
    assert now["mcpServers"] == data["mcpServers"]
    assert now["projects"]["/p"]["mcpServers"]["fs"]["args"][-2:] == ["--", "z"]
    with pytest.raises(GuardingError, match="nothing is left that can be routed"):
        AgentFiles().offer(only(), local)
    main.run(["uninstall", "--yes"])
    assert file.read_text() == before


def test_a_config_that_does_not_load_is_a_reason(machine):
    install("cursor", machine)
    wall = machine.home.parent / "wall"
    wall.mkdir(mode=0o700)
    (wall / "config.toml").write_text("[[rules]]\n")
    (wall / "config.toml").chmod(0o600)
    with pytest.raises(GuardingError, match=r"config\.toml:1: "):
        AgentFiles().offer(only(), None)


def test_a_file_with_nothing_left_to_guard_is_a_reason(machine):
    put(machine.home / ".cursor" / "mcp.json")
    with pytest.raises(GuardingError, match="nothing is left that can be routed"):
        AgentFiles().offer(only(), None)


def test_a_read_only_file_is_a_reason(machine):
    install("cursor", machine).chmod(0o444)
    with pytest.raises(GuardingError, match="is read-only; run: chmod u"):
        AgentFiles().offer(only(), None)


def test_without_a_directory_there_is_nothing(machine, monkeypatch):
    install("cursor", machine)

    def gone() -> Path:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "cwd", gone)
    assert AgentFiles().files() == []


def test_p14_nothing_that_is_listed_holds_a_secret(machine):
    for agent in FILES:
        install(agent, machine)
    files = AgentFiles().files()
    assert len(files) == len(FILES)
    assert SECRET not in repr(files)


def test_the_demo_runs_in_a_process_of_its_own(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/true")
    assert app.play_demo() == ""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert app.play_demo() == "the demo has failed; `mcpwall demo` in a terminal says why"
    monkeypatch.setattr(sys, "executable", "/does/not/exist")
    assert "the demo does not start" in app.play_demo()
    assert threading.active_count() == 1
