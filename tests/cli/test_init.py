"""`mcpwall init` and `uninstall`: what they say, write and put back on a pretend user's machine."""

import json
import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mcpwall import home as places_of_the_wall
from mcpwall.cli import main, program, routing
from mcpwall.cli.errors import CliError
from mcpwall.clients.survey import survey
from tests.clients.machine import FILES, SECRET, install, own_reading, places
from tests.helpers.programs import environment

AGENTS = sorted(FILES)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A user's home with a project in it, where the commands run."""
    user = tmp_path / "dev"
    (user / "acme").mkdir(parents=True)
    for name in [*os.environ]:
        if name.startswith("XDG_") or name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "COPILOT_HOME"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("MCPWALL_HOME", str(tmp_path / "wall"))
    monkeypatch.chdir(user / "acme")
    monkeypatch.setattr(program, "installed", lambda: "/opt/tools/bin/mcpwall")
    return places(user)


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = main.run(list(map(str, arguments)))
        out, err = capsys.readouterr()
        assert err.count("\n") == err.count("mcpwall: ")
        return code, out, err

    return run


def test_every_agent_is_routed_and_put_back_byte_for_byte(machine, run):
    files = {agent: install(agent, machine) for agent in AGENTS}
    good = [e for found in survey(machine) for e in found.entries if not e.why_not]
    code, out, err = run("init", "--yes")
    assert (code, err) == (0, "")
    assert f"routed {len(good)} servers of" in out
    there = [entry for found in survey(routing.here()) for entry in found.entries]
    assert len(AGENTS) == 16
    assert sum(entry.routed is not None for entry in there) == len(good)
    assert sum(bool(entry.why_not) for entry in there if entry.routed is None) == 5
    assert len(there) == len(good) + 5
    for agent, file in files.items():
        assert file.read_bytes() != FILES[agent].read_bytes()
        own_reading(file)
    code, out, err = run("uninstall", "--yes")
    assert (code, err) == (0, "")
    for agent, file in files.items():
        assert file.read_bytes() == FILES[agent].read_bytes()
    assert not list(machine.home.rglob(".mcpwall-backup"))
    assert run("uninstall", "--yes") == (0, NOTHING, "")


def copies(machine):
    return [file for file in machine.home.rglob(".mcpwall-backup/*") if file.suffix != ""]


def test_each_file_is_copied_before_it_is_first_changed(machine, run):
    file = install("cursor", machine)
    original = file.read_bytes()
    _, out, _ = run("init", "--yes", "--server", "memory")
    assert "~/.cursor/.mcpwall-backup/mcp.json.orig" in out
    (copy,) = copies(machine)
    assert copy.read_bytes() == original
    _, out, _ = run("init", "--yes")
    assert "~/.cursor/.mcpwall-backup/mcp.json.orig" in out
    assert copies(machine) == [copy]
    run("uninstall", "--yes", "--server", "memory")
    assert copies(machine) == [copy]
    run("uninstall", "--yes")
    assert copies(machine) == []
    assert file.read_bytes() == original


def test_a_copy_that_the_file_is_not_the_same_as_is_left_and_named(machine, run):
    file = put(machine.home / ".cursor" / "mcp.json", {"fs": {"command": "x"}})
    original = file.read_bytes()
    run("init", "--yes")
    file.write_text(file.read_text() + "\n")
    _, out, _ = run("uninstall", "--yes")
    assert "~/.cursor/.mcpwall-backup/mcp.json.orig: the file before `mcpwall init`" in out
    (copy,) = copies(machine)
    assert copy.read_bytes() == original
    assert file.read_bytes() == original + b"\n"
    run("init", "--yes")
    assert sorted(one.name for one in copies(machine)) == ["mcp.json.orig", "mcp.json.orig-2"]
    run("uninstall", "--yes")
    assert copies(machine) == [copy]


def test_a_file_that_cannot_be_copied_is_left_alone_and_the_others_are_routed(machine, run):
    file, other = install("cursor", machine), install("gemini", machine)
    (file.parent / ".mcpwall-backup").touch()
    left_alone(run, file, ".mcpwall-backup: is not a directory; move it away")
    assert other.read_bytes() != FILES["gemini"].read_bytes()
    assert {record["file"] for record in ledger()["records"]} == {str(other)}


def test_a_file_that_does_not_parse_any_more_is_named_with_its_copy(machine, run):
    file = install("cursor", machine)
    run("init", "--yes")
    file.write_text("{")
    code, out, _ = run("uninstall", "--yes")
    assert code == 1
    assert "~/.cursor/mcp.json as it was before `mcpwall init` is in ~/.cursor/.mcpwall" in out
    assert len(copies(machine)) == 1


NOTHING = "nothing to put back: `mcpwall init` has changed nothing here\n"


def test_what_is_shown_is_the_exact_change(machine, run):
    file = install("cursor", machine)
    code, shown, err = run("init", "--dry-run")
    assert (code, err) == (0, "")
    assert file.read_bytes() == FILES["cursor"].read_bytes()
    assert not (machine.home.parent / "wall").exists()
    diff = shown[shown.index("--- ~/.cursor/mcp.json") : shown.index("--- config.toml")]
    run("init", "--yes")
    subprocess.run(
        ["patch", "-R", "-s", str(file)], input=diff.encode(), check=True, capture_output=True
    )
    assert file.read_bytes() == FILES["cursor"].read_bytes()


def test_twice_changes_nothing(machine, run):
    file = install("gemini", machine)
    run("init", "--yes")
    before = file.read_bytes(), ledger(), config_text()
    code, out, err = run("init", "--yes")
    assert (code, err) == (0, "")
    assert "nothing to do" in out
    assert "goes through the wall as pythonTools" in out
    assert (file.read_bytes(), ledger(), config_text()) == before


def ledger():
    return json.loads(Path(places_of_the_wall.clients_file()).read_text())


def config_text():
    path = Path(places_of_the_wall.config_file())
    return path.read_text() if path.exists() else ""


def test_p14_no_secret_leaves_an_agents_file(machine, run):
    files = [install(agent, machine) for agent in AGENTS]
    code, _, _ = run("init", "--yes", "--raise-timeouts")
    assert code == 0
    kept = [file for file in (machine.home.parent / "wall").rglob("*") if file.is_file()]
    assert len(kept) == 2
    for file in kept:
        assert SECRET not in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
    for file in machine.home.rglob("*"):  # only an agent's own file, and the copy beside it
        if file.is_file() and SECRET in file.read_text() and file not in files:
            assert file.parent.name == ".mcpwall-backup"
            assert file.parent.parent / file.name.removesuffix(".orig") in files
            assert (file.stat().st_mode | file.parent.stat().st_mode) & 0o077 == 0


def test_remote_servers_are_written_to_the_config_and_taken_out_again(machine, run):
    install("windsurf", machine)
    install("claude-code", machine)
    mine = '# mine\n[defaults]\nread = "ask"'
    path = machine.home.parent / "wall" / "config.toml"
    path.parent.mkdir(mode=0o700)
    path.write_text(mine)
    path.chmod(0o600)
    code, out, _ = run("init", "--yes")
    assert code == 0
    servers = tomllib.loads(path.read_text())["servers"]
    assert servers["figma"] == {
        "url": "https://figma.example.com/mcp",
        "headers": {"Authorization": "Bearer ${env:FIGMA_TOKEN}"},
    }
    assert servers["docs"] == {"url": "https://docs.example.com/mcp"}
    assert "literal" not in servers
    assert "mcpwall login docs" in out
    run("uninstall", "--yes")
    assert path.read_text() in (mine, f"{mine}\n")


def test_one_command_has_one_name_and_two_commands_have_two(machine, run):
    cursor, windsurf, gemini = (machine.home / d for d in (".cursor", ".codeium", ".gemini"))
    put(cursor / "mcp.json", {"fs": {"command": "npx", "args": ["a"]}})
    put(windsurf / "windsurf" / "mcp_config.json", {"fs": {"command": "npx", "args": ["a"]}})
    put(gemini / "settings.json", {"fs": {"command": "npx", "args": ["b"]}})
    assert run("init", "--yes")[0] == 0
    assert args(cursor / "mcp.json")[:2] == args(windsurf / "windsurf" / "mcp_config.json")[:2]
    wall = ["/opt/tools/bin/mcpwall", "stdio"]
    assert args(cursor / "mcp.json")[1:] == [*wall, "fs", "--", "npx", "a"]
    assert args(gemini / "settings.json")[1:] == [*wall, "fs-gemini", "--", "npx", "b"]


def put(file, servers):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"mcpServers": servers}))
    return file


def args(file, name="fs"):
    return json.loads(file.read_text())["mcpServers"][name]["args"]


def test_a_wall_with_a_home_of_its_own_is_found_by_its_shims(machine, run):
    file = put(machine.home / ".cursor" / "mcp.json", {"fs": {"command": "x"}})
    run("init", "--yes")
    server = json.loads(file.read_text())["mcpServers"]["fs"]
    assert server["command"] == "/usr/bin/env"
    assert server["args"][0] == f"MCPWALL_HOME={machine.home.parent / 'wall'}"


def test_only_what_is_chosen_is_touched(machine, run):
    cursor, gemini = install("cursor", machine), install("gemini", machine)
    assert run("init", "--yes", "--agent", "gemini", "--server", "noArgs")[0] == 0
    assert cursor.read_bytes() == FILES["cursor"].read_bytes()
    servers = own_reading(gemini)["mcpServers"]
    assert servers["pythonTools"]["command"] == "python"
    assert "noArgs" in servers["noArgs"]["args"]
    code, out, _ = run("uninstall", "--yes", "--agent", "cursor")
    assert (code, out) == (0, NOTHING)
    run("uninstall", "--yes", "--server", "noArgs")
    assert gemini.read_bytes() == FILES["gemini"].read_bytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--agent", "emacs"], "no agent 'emacs' is known; known are claude-code, "),
        (["--server", "nope"], "no agent has a server 'nope'"),
    ],
)
def test_a_choice_that_there_is_not_is_a_usage_error(machine, run, arguments, says):
    install("cursor", machine)
    code, _, err = run("init", "--yes", *arguments)
    assert code == 2
    assert says in err


def test_longer_time_outs_are_offered_where_there_is_a_setting(machine, run):
    file = put(machine.home / ".codeium" / "windsurf" / "mcp_config.json", {"a": {"command": "x"}})
    cline = put(
        machine.home / ".cline/data/settings/cline_mcp_settings.json", {"b": {"command": "y"}}
    )
    run("init", "--yes", "--raise-timeouts")
    assert "timeout" not in json.loads(file.read_text())["mcpServers"]["a"]
    assert json.loads(cline.read_text())["mcpServers"]["b"]["timeout"] == 900
    assert tomllib.loads(config_text())["agents"]["Cline"] == {"hold": "14m"}
    run("uninstall", "--yes")
    assert "timeout" not in cline.read_text()
    assert "agents" not in tomllib.loads(config_text())


def test_the_line_that_raises_a_time_out_is_shown(machine, run):
    install("codex", machine)
    install("cline", machine)
    install("cursor", machine)
    _, out, _ = run("init", "--dry-run")
    assert "Codex gives up on a call after 300 s" in out
    assert "With tool_timeout_sec = 900 in each of its servers" in out
    assert "Cline gives up on a call after 60 s, also on one that waits for you" in out
    assert 'With "timeout": 900 in' in out
    assert "Cursor gives up" not in out
    assert "--raise-timeouts adds these lines" in out
    _, out, _ = run("init", "--dry-run", "--raise-timeouts")
    assert "gives up" not in out


def test_no_longer_hold_for_an_agent_one_of_whose_servers_ends_calls_earlier(machine, run):
    servers = {"a": {"command": "x"}, "b": {"command": "y", "timeout": 30}}
    put(machine.home / ".cline/data/settings/cline_mcp_settings.json", servers)
    code, out, _ = run("init", "--yes", "--raise-timeouts")
    assert code == 0
    assert "its timeout ends a call after 30 s" in out
    assert config_text() == ""


# --- what is left alone -------------------------------------------------------------------------


def left_alone(run, file, *says, command="init"):
    """The rest goes on; this file is as it was, and is named."""
    before = file.read_bytes()
    code, _, err = run(command, "--yes")
    assert code == 1
    for text in says:
        assert text in err
    assert file.read_bytes() == before
    return err


def test_a_file_that_does_not_parse_is_named_with_its_line(machine, run):
    file = install("cursor", machine)
    other = install("gemini", machine)
    file.write_text('{\n  "mcpServers": {\n    "x": }\n}')
    left_alone(run, file, "mcp.json:3: a value should stand here")
    assert other.read_bytes() != FILES["gemini"].read_bytes()


def test_a_file_that_is_not_utf_8(machine, run):
    file = install("cursor", machine)
    file.write_bytes(b'{"mcpServers": {}}\n\xff')
    left_alone(run, file, "mcp.json:2: this is not UTF-8")


def test_a_read_only_file(machine, run):
    file = install("cursor", machine)
    file.chmod(0o444)
    left_alone(run, file, "is read-only; run: chmod u+w")
    _, shown, said = run("init", "--dry-run")
    assert "+++" not in shown
    assert "is read-only" in said
    assert not Path(places_of_the_wall.clients_file()).exists()
    assert copies(machine) == []


def test_a_hard_link_a_directory_and_a_pipe(machine, run):
    file = install("cursor", machine)
    os.link(file, file.with_name("other"))
    left_alone(run, file, "2 names (hard links)")
    file.unlink()
    file.mkdir()
    assert "is a directory" in run("init", "--yes")[2]
    file.rmdir()
    os.mkfifo(file)
    assert "is a FIFO" in run("init", "--yes")[2]


def test_a_link_is_followed_and_stays_a_link(machine, run):
    file = install("cursor", machine)
    real = machine.home / "dotfiles" / "mcp.json"
    real.parent.mkdir()
    file.rename(real)
    file.symlink_to("../dotfiles/mcp.json")
    assert run("init", "--yes")[0] == 0
    assert file.is_symlink()
    assert real.read_bytes() != FILES["cursor"].read_bytes()
    assert run("uninstall", "--yes")[0] == 0
    assert file.is_symlink()
    assert real.read_bytes() == FILES["cursor"].read_bytes()


def test_two_entries_of_one_name(machine, run):
    file = machine.home / ".cursor" / "mcp.json"
    file.parent.mkdir()
    text = '{"mcpServers": {"x": {"command": "a"}, "x": {"command": "b"}}}'
    file.write_text(text)
    code, out, _ = run("init", "--yes")
    assert code == 0
    assert "two entries of this name" in out
    assert file.read_text() == text


def test_an_entry_that_was_routed_by_hand_stays_so(machine, run):
    routed = {"command": "mcpwall", "args": ["stdio", "a", "--", "x"]}
    file = put(machine.home / ".cursor" / "mcp.json", {"fs": routed})
    before = file.read_text()
    assert "goes through the wall as a" in run("init", "--yes")[1]
    code, out, _ = run("uninstall", "--yes")
    assert code == 0
    assert "fs: routed by hand; left as it is" in out
    assert file.read_text() == before


def test_an_edit_that_cannot_be_told_apart_is_left_and_named(machine, run):
    file = put(machine.home / ".cursor" / "mcp.json", {"fs": {"url": "https://a.example/mcp"}})
    run("init", "--yes")
    file.write_text(file.read_text().replace('"fs"', '"fs" ').replace('", "', '" , "'))
    edited = file.read_text().replace('"stdio" , "fs"', '"stdio" ,  "fs"')
    file.write_text(edited)
    code, out, _ = run("uninstall", "--yes")
    assert code == 1
    assert "fs: edited since in a way that cannot be undone safely; left as it is" in out
    assert file.read_text() == edited
    assert len(ledger()["records"]) == 1


def test_a_config_that_does_not_load_changes_nothing(machine, run):
    file = install("cursor", machine)
    path = machine.home.parent / "wall" / "config.toml"
    path.parent.mkdir(mode=0o700)
    path.write_text("[[rules]]\n")
    path.chmod(0o600)
    code, _, err = run("init", "--yes")
    assert code == 2
    assert "config.toml:1: " in err
    assert file.read_bytes() == FILES["cursor"].read_bytes()


def test_a_ledger_that_cannot_be_read_changes_nothing(machine, run):
    file = install("cursor", machine)
    run("init", "--yes")
    routed = file.read_bytes()
    Path(places_of_the_wall.clients_file()).write_text("{")
    for command in ("init", "uninstall"):
        code, _, err = run(command, "--yes")
        assert code == 2
        assert "clients.json: cannot be read" in err
    assert file.read_bytes() == routed


def test_nothing_to_find(machine, run):
    code, out, err = run("init", "--yes")
    assert (code, err) == (0, "")
    assert "no agent's config was found" in out


def test_p10_hostile_names_are_spelled_out(machine, run):
    put(machine.home / ".cursor" / "mcp.json", {"a\x1b[2J\u202e": {"command": "x\x07"}})
    for arguments in (["init", "--dry-run"], ["init", "--yes"], ["uninstall", "--yes"]):
        _, out, err = run(*arguments)
        assert (out + err).replace("\n", "").isprintable()


@pytest.mark.parametrize("moved", ["config.toml", "clients.json"])
def test_what_was_written_while_a_person_thought_is_not_written_over(machine, run, moved):
    file, other = install("windsurf", machine), install("cursor", machine)
    before = file.read_bytes()
    work = routing.Work.prepare(["windsurf"], None)
    run("init", "--yes", "--agent", "cursor")
    files = {"config.toml": "clients_file", "clients.json": "config_file"}
    Path(getattr(places_of_the_wall, files[moved])()).unlink()  # the other one is as it was: absent
    then = config_text()
    with pytest.raises(CliError, match="changed in the meantime; nothing was changed"):
        work.carry_out(work.plans)
    assert file.read_bytes() == before
    assert other.read_bytes() != FILES["cursor"].read_bytes()
    assert config_text() == then
    assert not (file.parent / ".mcpwall-backup").exists()


def test_a_disk_that_is_full_half_way_is_told_in_words(machine, run, monkeypatch):
    file, other = install("cursor", machine), install("gemini", machine)
    keep, replace = routing.ledger.write, routing.document.write

    def write(document, before):
        if document.path == other:
            raise routing.DocumentError(f"{other}: cannot be written: No space left on device")
        replace(document, before)

    def once(path, known):
        monkeypatch.setattr(routing.ledger, "write", full)
        keep(path, known)

    def full(path, known):
        raise routing.ledger.LedgerError(f"{path}: cannot be written: No space left on device")

    monkeypatch.setattr(routing.document, "write", write)
    monkeypatch.setattr(routing.ledger, "write", once)
    code, _, err = run("init", "--yes")
    assert code == 1
    assert "settings.json: cannot be written" in err
    assert "clients.json: cannot be written" in err
    assert "unexpected" not in err
    assert file.read_bytes() != FILES["cursor"].read_bytes()
    monkeypatch.setattr(routing.ledger, "write", keep)
    monkeypatch.setattr(routing.document, "write", replace)
    run("uninstall", "--yes")
    assert file.read_bytes() == FILES["cursor"].read_bytes()
    assert other.read_bytes() == FILES["gemini"].read_bytes()


# --- asking -------------------------------------------------------------------------------------


def test_without_a_terminal_nothing_is_changed_and_that_is_said(machine, run, monkeypatch):
    file = install("cursor", machine)
    monkeypatch.setattr("mcpwall.cli.init.can_ask", lambda: False)
    monkeypatch.setattr("mcpwall.cli.uninstall.can_ask", lambda: False)
    code, out, err = run("init")
    assert code == 1
    assert '+        "memory"' in out
    assert "nothing was changed: there is no terminal to ask on" in err
    assert file.read_bytes() == FILES["cursor"].read_bytes()
    run("init", "--yes")
    routed = file.read_bytes()
    code, _, err = run("uninstall")
    assert code == 1
    assert "nothing was changed" in err
    assert file.read_bytes() == routed


def on_a_terminal(machine, answers, *arguments):
    """Run a command on a terminal of its own, with a person's answers typed."""
    ours, theirs = pty.openpty()
    env = environment(machine.home.parent / "wall")
    command = [sys.executable, "-m", "mcpwall", *arguments]
    process = subprocess.Popen(
        command, env=env, cwd=machine.project, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, answers.encode())
    said = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        said += data
    os.close(ours)
    return process.wait(), said.decode()


def test_a_person_chooses_file_by_file_and_server_by_server(machine):
    cursor, gemini, windsurf = (install(a, machine) for a in ("cursor", "gemini", "windsurf"))
    # Gemini's time-out no; Cursor no; Windsurf: playwright yes, figma no; Gemini yes
    answers = "no\nno\nselect\ny\nn\ny\n"
    code, said = on_a_terminal(machine, answers, "init")
    assert code == 0, said
    assert "routed 4 servers of Gemini CLI, Windsurf" in said
    assert cursor.read_bytes() == FILES["cursor"].read_bytes()
    assert "stdio" in own_reading(windsurf)["mcpServers"]["playwright"]["args"]
    assert "serverUrl" in own_reading(windsurf)["mcpServers"]["figma"]
    assert '"timeout": 900000' not in gemini.read_text()
    code, said = on_a_terminal(machine, "y\nn\n", "uninstall")
    assert code == 0, said
    assert windsurf.read_bytes() == FILES["windsurf"].read_bytes()
    assert gemini.read_bytes() != FILES["gemini"].read_bytes()


def test_a_person_lets_an_agent_wait_longer(machine):
    gemini = install("gemini", machine)
    code, said = on_a_terminal(machine, "yes\nyes\n", "init")
    assert code == 0, said
    waits = [one.get("timeout") for one in own_reading(gemini)["mcpServers"].values()]
    assert waits == [15000, 5000, 900_000]  # what the person set stays
