import asyncio
import json
import socket
from pathlib import Path

import msgspec
import pytest

from mcpwall import home as places
from mcpwall.cli import main
from mcpwall.cli.status import as_json, as_lines, duration
from mcpwall.engine.port import Http, Snapshot, Status, Totals
from mcpwall.engine.port_calls import Held, Row, State
from mcpwall.engine.port_rules import OutsideEdit
from mcpwall.engine.port_servers import Life
from mcpwall.engine.port_sessions import SessionRow
from mcpwall.engine.port_tools import Pin, ServerRow, ToolRow
from mcpwall.model import Action, Cause, Risk, Verdict
from tests.link.memory_port import MemoryPort, Wall

NOW_MS = 1_700_000_000_000
LIFE = Life(NOW_MS - 41 * 60_000, restarts=(NOW_MS - 41 * 60_000,))
HOSTILE = "a\x1b]52;c;SEVJ\x07\u202eb\nc\x7f"


def snapshot(name: str = "git", **status: object) -> Snapshot:
    row = Row(
        id=17,
        at_ms=NOW_MS - 9_000,
        session="s1",
        agent=f"{name}#1",
        client=name,
        server=name,
        method="tools/call",
        tool=f"{name}_commit",
        risk=Risk.WRITE,
        preview=json.dumps({"message": name}, separators=(",", ":")),
        size=20,
        digest="d" * 64,
        verdict=Verdict(Action.ASK, Cause.DEFAULT),
        state=State.HELD,
    )
    held = Held(
        row=row,
        arguments={"message": name},
        digest=row.digest,
        revision=1,
        since_ms=NOW_MS - 9_000,
        deadline_ms=NOW_MS + 41_500,
        two_keys=False,
        why=("writes are asked about",),
        flags=(),
    )
    session = SessionRow(
        id="s1",
        agent=f"{name}#1",
        client=name,
        client_version="1",
        protocol="2025-11-25",
        server=name,
        transport="stdio",
        pid=99,
        directory="/src",
        since_ms=NOW_MS - 60_000,
        calls=1_284,
        held=1,
    )
    ended = SessionRow(**{**_fields(session), "id": "s0", "agent": "gone#1", "ended": "exit 0"})
    known = {
        "http": Http(("127.0.0.1:6279",)),
        "pid": 4121,
        "version": "0.1.0",
        "started_ms": NOW_MS - 8_074_000,
        "home": f"/home/{name}",
        "config": f"/home/{name}/config.toml",
        "policy": "3f2a",
        "lockdown": False,
    }
    return Snapshot(
        seq=5,
        status=Status(**{**known, **status}),
        rows=(row,),
        held=(held,),
        rules=(),
        sessions=(ended, session),
        servers=(
            ServerRow(
                name, "stdio", "1.2", 1, (ToolRow("git_commit", Pin.PINNED, ""),), 1_284, life=LIFE
            ),
        ),
        totals=Totals(calls=1_284, allowed=1_240, denied=17, limited=4, errors=20, held=1),
    )


def _fields(session: SessionRow) -> dict[str, object]:
    return {name: getattr(session, name) for name in session.__struct_fields__}


# --- for people -------------------------------------------------------------------------------


def test_the_whole_status(own):
    assert list(as_lines(snapshot(), NOW_MS)) == [
        "engine    pid 4121, mcpwall 0.1.0, up 2h14m",
        "http      127.0.0.1:6279",
        "config    /home/git/config.toml (rules 3f2a)",
        f"state     {own}/state",
        "calls     1,284, of them 1,240 allowed, 17 denied, 4 limited, 20 with an error",
        "sessions  git#1  git  2025-11-25  1,284 calls  1 waiting",
        "servers   git  stdio  1.2  up 41m00, 1 restart  1 session  1 tool  1,284 calls",
        "waiting   0:41 left  git#1  git.git_commit  WRITE  message=git",
    ]


def test_what_keeps_rules_from_being_in_force_is_said():
    edit = OutsideEdit(hash="h", diff="", what=("the rule r1 is gone",))
    shown = snapshot(
        lockdown=True, config_error="config.toml:3: unknown key 'tol'", outside_edit=edit
    )
    text = "\n".join(as_lines(shown, NOW_MS))
    assert "LOCKDOWN: every tool call is denied" in text
    assert "NOT IN FORCE: config.toml:3: unknown key 'tol'" in text
    assert "NOT IN FORCE: an edit from outside" in text
    assert "the rule r1 is gone" in text


def test_where_agents_come_by_url_is_said():
    shown = "\n".join(as_lines(snapshot(http=Http()), NOW_MS))
    assert "http      off\n" in shown
    shown = "\n".join(as_lines(snapshot(http=Http(error=f"taken {HOSTILE}")), NOW_MS))
    assert "http      NOT LISTENING: taken a" in shown
    assert "\x1b" not in shown


def test_a_call_whose_time_was_up_waits_for_nobody():
    late = msgspec.structs.replace(snapshot().held[0], late=True)
    shown = msgspec.structs.replace(snapshot(), held=(late,))
    assert "waiting   none" in list(as_lines(shown, NOW_MS))
    assert as_json(shown)["waiting"] == []


def test_nothing_runs_yet():
    shown = Snapshot(0, snapshot().status, (), (), (), (), (), Totals())
    assert list(as_lines(shown, NOW_MS))[-3:] == [
        "sessions  none",
        "servers   none",
        "waiting   none",
    ]


def test_p10_foreign_text_reaches_no_terminal_raw():
    hostile = snapshot(
        HOSTILE,
        version=HOSTILE,
        policy=HOSTILE,
        config_error=HOSTILE,
        outside_edit=OutsideEdit(HOSTILE, HOSTILE, (HOSTILE,)),
    )
    lines = list(as_lines(hostile, NOW_MS))
    assert len(lines) == len(list(as_lines(snapshot(config_error="x"), NOW_MS))) + 2
    for line in lines:
        assert line.isprintable()
        assert "\u202e" not in line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0s"),
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3_599, "59m"),
        (3_600, "1h00m"),
        (86_399, "23h59m"),
        (86_400, "1d0h"),
        (280_000, "3d5h"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


# --- for scripts ------------------------------------------------------------------------------


def test_the_json_names_what_scripts_ask_for():
    plain = json.loads(json.dumps(as_json(snapshot())))
    assert plain["running"] is True
    assert plain["engine"]["pid"] == 4121
    assert plain["engine"]["lockdown"] is False
    assert [session["id"] for session in plain["sessions"]] == ["s0", "s1"]
    assert plain["servers"][0]["tools"] == ["git_commit"]
    assert plain["waiting"][0]["id"] == 17
    assert plain["waiting"][0]["deadline_ms"] == NOW_MS + 41_500
    assert plain["totals"]["limited"] == 4


# --- the command ------------------------------------------------------------------------------


@pytest.fixture
def own(home, monkeypatch):
    """A wall's home in which no engine runs."""
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    monkeypatch.delenv("MCPWALL_DEBUG", raising=False)
    return home


def run_against(port: MemoryPort, *arguments: str) -> int:
    """Run `mcpwall` while an engine with this port listens."""

    async def both() -> int:
        async with Wall(places.socket_file(), port):
            return await asyncio.to_thread(main.run, arguments)

    return asyncio.run(both())


def test_an_engine_runs(own, capsys):
    assert run_against(MemoryPort(snapshot()), "status") == 0
    out, err = capsys.readouterr()
    assert out.startswith("engine    pid 4121")
    assert err == ""


def test_p10_the_json_of_an_engine_is_ascii(own, capsys):
    assert run_against(MemoryPort(snapshot(HOSTILE)), "status", "--json") == 0
    out, _ = capsys.readouterr()
    assert out.isascii()
    assert out.replace("\n", "").isprintable()
    assert json.loads(out)["sessions"][1]["server"] == HOSTILE


def test_no_engine_runs(own, capsys):
    assert main.run(["status"]) == 3
    out, err = capsys.readouterr()
    assert out == f"config    {own}/config.toml\nstate     {own}/state\n"
    assert err.count("\n") == 1
    assert err.startswith("mcpwall: no engine runs")


def test_no_engine_runs_for_scripts(own, capsys):
    assert main.run(["status", "--json"]) == 3
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["running"] is False
    assert (told["config"], told["state"]) == (f"{own}/config.toml", f"{own}/state")
    assert err == ""


def test_an_engine_of_another_version_runs(own, capsys, monkeypatch):
    monkeypatch.setattr("mcpwall.link.sync.__version__", "9.9")
    monkeypatch.setattr("mcpwall.link.errors.__version__", "9.9")
    assert run_against(MemoryPort(snapshot()), "status") == 0
    assert "this is mcpwall 9.9; end it with `mcpwall stop`" in capsys.readouterr().out
    assert run_against(MemoryPort(snapshot()), "status", "--json") == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["running"] is True
    assert set(plain["engine"]) == {"pid", "version"}


def test_an_engine_that_cannot_be_asked_is_neither_running_nor_missing(own, capsys, monkeypatch):
    Path(places.state_dir()).mkdir(mode=0o700)
    monkeypatch.setattr("mcpwall.link.sync.ask.__kwdefaults__", {"path": None, "timeout_s": 0.01})
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(places.socket_file())
        silent.listen()
        assert main.run(["status"]) == 1
    Path(places.socket_file()).unlink()
    assert "does not answer" in capsys.readouterr().err
