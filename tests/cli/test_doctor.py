"""`mcpwall doctor`: what it finds wrong, what it says to do, and what it leaves behind."""

import json
import os
import sys
import types
from pathlib import Path

import pytest

from mcpwall import home as of_the_wall
from mcpwall.cli import checkup, checkup_agents, main, program
from mcpwall.cli.finding import Level
from mcpwall.cli.probe import probe
from mcpwall.clients.survey import survey
from mcpwall.engine.port import Http, Snapshot, Status, Totals
from tests.clients.machine import install, places
from tests.helpers.programs import ECHO

ECHO_ENTRY = {"command": ECHO[0], "args": [*ECHO[1:]]}


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A user's home with a project in it, where the commands run."""
    user = tmp_path / "dev"
    (user / "acme").mkdir(parents=True)
    for name in [*os.environ]:
        if name.startswith("XDG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("MCPWALL_HOME", str(tmp_path / "wall"))
    monkeypatch.chdir(user / "acme")
    monkeypatch.setattr(
        program, "installed", lambda: str(Path(sys.executable).with_name("mcpwall"))
    )
    return places(user)


@pytest.fixture
def doctor(capsys):
    """Run the doctor: its exit code, and its findings by topic."""

    def run(*options):
        code = main.run(["doctor", "--json", *options])
        told = json.loads(capsys.readouterr().out)
        assert told["ok"] == (code == 0)
        return code, told["findings"]

    return run


def servers(machine, **entries):
    """Cursor's servers."""
    file = machine.home / ".cursor" / "mcp.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"mcpServers": entries}))
    return file


def about(findings, *words):
    """The findings that have these words in them."""
    return [one for one in findings if all(word in str(one) for word in words)]


def wall_file(name, text, mode=0o600):
    path = Path(of_the_wall.config_dir()) / name
    path.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("file", "form"),
    [("/x/judge.py", "(plain Python)"), ("/x/judge.cpython-311-x86_64-linux-gnu.so", "(compiled)")],
)
def test_the_doctor_says_which_form_of_mcpwall_runs(machine, doctor, monkeypatch, file, form):
    spec = types.SimpleNamespace(origin=file)
    monkeypatch.setattr(checkup.importlib.util, "find_spec", lambda _: spec)
    _, findings = doctor()
    assert about(findings, "version", form)


def test_with_nothing_set_up_nothing_is_wrong(machine, doctor):
    code, findings = doctor()
    assert code == 0
    assert about(findings, "engine", "none runs")
    assert about(findings, "no agent with MCP servers was found")
    assert not Path(of_the_wall.config_dir()).exists()


def test_a_server_that_starts_and_is_not_guarded_is_a_note(machine, doctor):
    servers(machine, echo=ECHO_ENTRY)
    code, findings = doctor()
    assert code == 0
    assert about(findings, "echo", "note", "not guarded", "run: mcpwall init --server echo")
    assert about(findings, "echo", "ok", "starts")


def test_a_wall_that_is_not_this_one_guards_nothing(machine, doctor):
    file = machine.project / ".mcp.json"
    walled = {"command": "./mcpwall", "args": ["stdio", "fs", "--", "x"]}
    file.write_text(json.dumps({"mcpServers": {"fs": walled}}))
    code, findings = doctor("--no-start")
    assert code == 0
    assert about(findings, "fs", "note", "not guarded: it starts ./mcpwall")


def test_what_is_not_guarded_is_in_the_last_line(machine, doctor, capsys):
    servers(machine, echo=ECHO_ENTRY, other=ECHO_ENTRY)
    assert main.run(["doctor", "--no-start"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "nothing is wrong; 2 servers are not guarded yet: mcpwall init"


def test_an_engine_that_cannot_listen_is_named(machine, doctor, monkeypatch):
    taken = Http(error="cannot listen on 127.0.0.1:6279: Address already in use; agents cannot")
    status = Status(1, "0", 0, "", "", "", False, http=taken)
    shown = Snapshot(0, status, (), (), (), (), (), Totals())
    monkeypatch.setattr(checkup, "ask", lambda *_: shown)
    code, findings = doctor()
    assert code == 0
    assert about(findings, "http", "note", "127.0.0.1:6279", "[http] listen")


def test_a_server_that_fails_is_wrong_and_its_last_words_are_shown(machine, doctor, capsys):
    script = "import sys; print('first', file=sys.stderr); sys.exit('no token \\x1b[2J')"
    servers(machine, bad={"command": sys.executable, "args": ["-c", script, "canary-secret"]})
    code, findings = doctor()
    assert code == 1
    (failed,) = about(findings, "bad", "wrong")
    assert failed["text"] == "ended at once, with code 1"
    assert failed["said"] == "first\nno token \x1b[2J"
    assert "try it in a terminal" in failed["todo"]
    assert "canary-secret" not in str(findings)
    assert main.run(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "| no token ‹ESC›[2J" in out
    assert out.endswith("\n1 thing is wrong; 1 server is not guarded yet: mcpwall init\n")


def test_a_program_that_is_not_there(machine, doctor):
    servers(machine, gone={"command": "/nowhere/server"})
    code, findings = doctor()
    assert code == 1
    assert about(findings, "gone", "cannot be started: No such file or directory")
    assert doctor("--no-start")[0] == 0


def test_what_only_the_agent_knows_is_not_started(machine, doctor):
    servers(
        machine,
        asks={**ECHO_ENTRY, "env": {"KEY": "${input:key}"}},
        off={"command": "/nowhere/server", "disabled": True},
        away={"command": "/nowhere/server", "cwd": "/nowhere"},
    )
    code, findings = doctor()
    assert code == 0
    assert about(findings, "asks", "not started: only its agent knows what ${input:key} is")
    assert about(findings, "away", "its directory /nowhere is not there")


def test_a_server_gets_the_environment_and_directory_that_its_agent_would_give(
    machine, doctor, monkeypatch
):
    monkeypatch.setenv("OUTER", "from outside")
    script = "import os; open('seen', 'w').write(os.environ['INNER'] + os.environ['OUTER'])"
    entry = {"command": sys.executable, "args": ["-c", script], "env": {"INNER": "x${OUTER}"}}
    servers(machine, env={**entry, "cwd": str(machine.home)})
    doctor()
    assert (machine.home / "seen").read_text() == "xfrom outsidefrom outside"


def test_a_guarded_server_is_started_itself_and_the_entry_is_well(
    machine, doctor, monkeypatch, capsys
):
    wall = machine.home / "bin" / "mcpwall"
    wall.parent.mkdir()
    wall.write_text("#!/bin/sh\nexit 9\n")
    wall.chmod(0o755)
    monkeypatch.setattr(program, "installed", lambda: str(wall))
    servers(machine, echo=ECHO_ENTRY)
    assert main.run(["init", "--yes"]) == 0
    capsys.readouterr()
    code, findings = doctor()
    assert about(findings, "echo", "guarded, as echo")
    assert about(findings, "echo", "starts")
    assert code == 0
    wall.unlink()
    code, findings = doctor()
    assert code == 1
    assert about(findings, "wrong", "which is not there", "mcpwall init")


def test_an_entry_whose_server_nobody_knows(machine, doctor):
    routed = {"command": "/bin/echo", "args": ["stdio", "x"]}
    wall = machine.home / "mcpwall"
    wall.symlink_to("/bin/echo")
    servers(machine, far={**routed, "command": str(wall)})
    wall_file("config.toml", "")
    code, findings = doctor()
    assert code == 1
    assert about(findings, "far", "which config.toml does not know", "add [servers.x]")
    wall_file("config.toml", '[servers.x]\nurl = "https://x.example/mcp"\n')
    assert doctor("--no-start")[0] == 0


def test_what_init_routed_and_is_gone(machine, doctor, capsys):
    file = servers(machine, a=ECHO_ENTRY, b=ECHO_ENTRY)
    main.run(["init", "--yes"])
    capsys.readouterr()
    file.write_text(json.dumps({"mcpServers": {"b": ECHO_ENTRY}}))
    _, findings = doctor("--no-start")
    assert about(findings, "a was routed and is gone")
    assert about(findings, "b was routed and is not any more")


def test_mistakes_in_files_are_named(machine, doctor):
    install("goose", machine).write_text("a: [")
    wall_file("config.toml", '[defaults]\nwrte = "ask"\n[[rules]]\n')
    wall_file("state/clients.json", "{")
    code, findings = doctor("--no-start")
    assert code == 1
    assert about(findings, "config.yaml:1: ")
    assert about(findings, "config.toml:2: unknown key 'wrte'", "did you mean 'write'")
    assert about(findings, "config.toml:3: ")
    assert about(findings, "clients.json: cannot be read")


@pytest.mark.parametrize("wait", ["0", "-1", "nan", "inf", "soon"])
def test_the_patience_is_a_time(doctor, capsys, wait):
    with pytest.raises(SystemExit):
        doctor("--wait", wait)
    assert f"a number of seconds above 0, not '{wait}'" in capsys.readouterr().err


def test_a_store_that_no_engine_could_ask_is_wrong(machine, doctor):
    wall_file("config.toml", '[store]\nurl = "${env:MCPWALL_NOT_SET}"\n')
    code, findings = doctor()
    assert code == 1
    assert about(findings, "store", "MCPWALL_NOT_SET is not set")


def test_p17_what_others_may_read_is_wrong(machine, doctor):
    path = wall_file("state/audit.db", "", 0o644)
    (path.parent / "link").symlink_to("/etc/passwd")
    path.parent.chmod(0o755)
    code, findings = doctor()
    assert code == 1
    assert about(findings, "state: others may look into it (mode 0755)", "chmod 700")
    assert about(findings, "audit.db: others may use it (mode 0644)", "chmod go=")
    assert about(findings, "link: is a symbolic link")


def test_where_no_call_could_be_recorded_is_wrong(machine, doctor, monkeypatch):
    full = types.SimpleNamespace(free=200 * 1024)
    with monkeypatch.context() as disk:
        disk.setattr("shutil.disk_usage", lambda _: full)
        code, findings = doctor()
        assert code == 1
        assert about(findings, "only 200 KiB left: calls that cannot be recorded are refused")
    monkeypatch.setattr("os.access", lambda *_: False)
    code, findings = doctor()
    assert code == 1
    assert about(findings, "state: nothing can be written there", "MCPWALL_HOME")


@pytest.mark.parametrize(
    ("term", "level", "says"),
    [
        ("xterm-256color", Level.OK, "truecolor"),
        ("linux", Level.NOTE, "use another terminal"),
        ("dumb", Level.NOTE, "TERM is dumb"),
    ],
)
def test_the_terminal(monkeypatch, term, level, says):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((120, 36)))
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}.isatty", lambda: True, raising=False)
    (finding,) = checkup.terminal()
    assert finding.level is level
    assert says in str(finding)


# --- starting a server --------------------------------------------------------------------------


def test_a_server_that_says_nothing_is_ended_with_all_that_it_started(tmp_path):
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "print('not JSON', flush=True); time.sleep(600)"
    )
    answer = probe([sys.executable, "-c", script], os.environ, str(tmp_path), 2.0)
    assert answer.failure == "did not answer within 2 s"
    with pytest.raises(ProcessLookupError):
        wait_for_end(int((tmp_path / "pid").read_text()))


def wait_for_end(pid):
    """Raise ProcessLookupError once the process has gone; it was killed, so it goes."""
    while True:
        os.kill(pid, 0)
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            raise ProcessLookupError


def test_a_server_that_refuses_says_so():
    script = 'print(\'{"id": 1, "error": {"code": -1, "message": "no"}}\', flush=True); input()'
    answer = probe([sys.executable, "-c", script], os.environ, ".", 20)
    assert answer.failure.startswith("refused to open a session: ")


def test_two_entries_of_one_command_are_started_once(machine):
    servers(machine, a=ECHO_ENTRY, b=ECHO_ENTRY)
    found = list(survey(machine))
    started = checkup_agents.starting(machine, found, None, dict(os.environ), 20, project=False)
    assert len(list(started)) == 1


def test_a_server_of_the_config_that_fails_is_wrong(machine, doctor):
    script = "import os, sys; sys.exit(f'{os.getcwd()} has no {os.environ[\"WHAT\"]}')"
    fails = json.dumps([sys.executable, "-c", script])
    starts = json.dumps(list(ECHO))
    text = f"[servers.bad]\ncommand = {fails}\nenv = {{ WHAT = 'key' }}\n"
    wall_file("config.toml", f"{text}[servers.good]\ncommand = {starts}\n")
    code, findings = doctor()
    assert code == 1
    (bad,) = about(findings, "server bad")
    assert (bad["level"], bad["said"].strip()) == ("wrong", f"{machine.home} has no key")
    assert about(findings, "server good", "starts")


def test_a_directory_of_the_config_that_is_not_there_is_wrong(machine, doctor):
    wall_file("config.toml", "[servers.lost]\ncommand = ['true']\ncwd = '/no/such'\n")
    code, findings = doctor()
    assert code == 1
    assert about(findings, "server lost", "wrong", "/no/such")


def test_what_a_cloned_project_names_is_not_started_unless_the_person_says_so(machine, doctor):
    script = f"open({str(machine.home / 'ran')!r}, 'w')"
    entry = {"command": sys.executable, "args": ["-c", script]}
    (machine.project / ".mcp.json").write_text(json.dumps({"mcpServers": {"theirs": entry}}))
    code, findings = doctor()
    assert code == 0
    assert about(findings, "theirs", "not started: this project names it", "doctor --project")
    assert not (machine.home / "ran").exists()
    doctor("--project")
    assert (machine.home / "ran").exists()


def test_a_server_of_the_user_is_not_started_in_a_project(machine, doctor):
    script = "import os; open(os.path.expanduser('~/seen'), 'w').write(os.getcwd())"
    servers(machine, here={"command": sys.executable, "args": ["-c", script]})
    doctor()
    assert (machine.home / "seen").read_text() == str(machine.home)


def test_a_server_starts_in_the_directory_that_clines_table_names(machine, doctor):
    script = "import os; open(os.path.expanduser('~/seen'), 'w').write(os.getcwd())"
    (machine.home / "work").mkdir()
    transport = {"type": "stdio", "command": sys.executable, "args": ["-c", script]}
    entry = {"transport": {**transport, "cwd": str(machine.home / "work")}}
    file = machine.home / ".cline" / "data" / "settings" / "cline_mcp_settings.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"mcpServers": {"here": entry}}))
    doctor()
    assert (machine.home / "seen").read_text() == str(machine.home / "work")
