"""`mcpwall log` and `mcpwall audit verify`, on a record in a scratch home."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mcpwall import home as places
from mcpwall.cli.log import as_json, as_line, follow
from mcpwall.cli.main import run
from mcpwall.model import Action, Cause, Verdict
from mcpwall.query import parse
from mcpwall.store.audit import Audit
from mcpwall.store.records import Kind
from tests.helpers.audit_values import ALLOW, START_MS, answered, intent, step
from tests.helpers.programs import environment

HOSTILE = "\x1b]52;c;aGk=\x07\u202e\x9b\x7f\u200b"


@pytest.fixture
def wall(home, monkeypatch):
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    return home


@pytest.fixture
def audit(wall):
    with Audit.open(places.audit_file(), boot="boot-1") as opened:
        yield opened


def out(capsys):
    return capsys.readouterr().out.splitlines()


def test_the_newest_calls_are_printed_oldest_first_a_line_each(audit, capsys):
    audit.write([intent(number) for number in range(1, 61)], [answered(60)])
    assert run(["log"]) == 0
    lines = out(capsys)
    assert [line.split()[2] for line in lines] == [f"#{number}" for number in range(11, 61)]
    assert lines[-1].endswith("claude-code#1  fs.read_file  allow reads  done 2ms  path=a")
    assert run(["log", "-n", "2"]) == 0
    assert [line.split()[2] for line in out(capsys)] == ["#59", "#60"]


def test_filters_choose_calls_wherever_they_are_in_the_record(audit, capsys):
    audit.write([intent(number, "refused") for number in (1, 2)])
    audit.write([intent(number) for number in range(3, 300)])
    assert run(["log", "verdict:deny", "or", "tool:nothing"]) == 0
    assert [line.split()[2] for line in out(capsys)] == ["#1", "#2"]


def test_since_leaves_out_what_is_older(audit, capsys):
    audit.write([intent(1), intent(2, at_ms=4_102_444_800_000)])  # the year 2100
    assert run(["log", "--since", "2099-01-01"]) == 0
    assert [line.split()[2] for line in out(capsys)] == ["#2"]


def test_json_holds_everything(audit, capsys):
    raw = b'{"big":12345678901234567890123,"x":1.0,"text":"\xe2\x82\xac"}'
    audit.write([intent(1, arguments=raw, request_id="7")])
    audit.write([intent(2, arguments=b'"' + b"x" * 70_000 + b'"')])
    assert run(["log", "--json"]) == 0
    first, second = (json.loads(line) for line in out(capsys))
    assert first["arguments"] == {"big": 12345678901234567890123, "x": 1.0, "text": "€"}
    assert (first["request_id"], first["state"], first["risk"]) == ("7", "running", "read")
    assert first["verdict"]["rules"] == ["reads"]
    assert (second["arguments"], second["size"]) == (None, 70_002)
    assert second["excerpt"] == '"' + "x" * 4_095


def test_p10_foreign_text_reaches_no_terminal_as_it_is(audit):
    verdict = Verdict(Action.DENY, Cause.RULE, rules=(HOSTILE,), reason=HOSTILE)
    arguments = json.dumps({HOSTILE: HOSTILE}, ensure_ascii=False).encode()
    audit.write(
        [
            intent(
                number,
                "held",
                verdict,
                arguments=arguments,
                request_id=HOSTILE,
                method=method,
                **dict.fromkeys(
                    ("agent", "client", "server", "session", "tool", "digest"), HOSTILE
                ),
            )
            for number, method in ((1, "tools/call"), (2, HOSTILE))
        ]
    )
    audit.write([], [step(1, Kind.WITHDRAWN, by=HOSTILE, note=HOSTILE)])
    for row in audit.recent(2):
        line, text = as_line(row), as_json(row)
        assert "‹ESC›" in line
        assert line.isprintable()
        assert text.isascii()
        assert text.isprintable()
        assert json.loads(text)["tool"] == HOSTILE


class EnoughError(Exception):
    """The test has seen what it came for."""


def test_follow_shows_each_change_that_matches_once(audit):
    shown = []
    changes = iter(
        [
            lambda: audit.write([intent(1), intent(2, "held"), intent(3, tool="other")]),
            lambda: None,
            lambda: audit.write([], [step(2, Kind.RELEASED, ALLOW), answered(1), answered(3)]),
            lambda: audit.write([], [answered(2, is_error=True)]),
        ]
    )

    def wait(seconds):
        assert 0 < seconds <= 0.2
        change = next(changes, None)
        if change is None:
            raise EnoughError
        change()

    with Audit.reader(places.audit_file()) as reader, pytest.raises(EnoughError):
        follow(
            reader,
            reader.end(),
            parse("tool:read_file"),
            lambda row: shown.append((row.id, row.state)),
            wait,
        )
    assert shown == [(1, "running"), (2, "held"), (1, "done"), (2, "running"), (2, "error")]


def following(wall, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "mcpwall", "log", "--follow", *options],
        env=environment(wall) | {"PYTHONUNBUFFERED": ""},  # as a person has it
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_follow_ends_quietly_on_ctrl_c(audit, wall):
    audit.write([intent(1)])
    with following(wall) as process:
        assert "#1" in process.stdout.readline()
        audit.write([intent(2)])
        assert "#2" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert (process.stdout.read(), process.stderr.read()) == ("", "")
    assert process.returncode == 0


def test_follow_ends_quietly_when_nobody_reads_any_more(audit, wall):
    audit.write([intent(1)])
    with following(wall, "--json") as process:
        assert json.loads(process.stdout.readline())["id"] == 1
        process.stdout.close()
        audit.write([intent(2)])
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tool:"], "filter: tool needs a value after : (at character 6)"),
        (["--since", "soon"], "--since soon: write a time like 10m"),
        (["-n", "-1"], "number of calls"),
        (["-n", "many"], "number of calls"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(audit, capsys, arguments, says):
    try:
        code = run(["log", *arguments])
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_without_a_record_there_is_one_line_and_exit_code_1(wall, capsys):
    for command in (["log"], ["log", "--follow"], ["audit", "verify"]):
        assert run(command) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "no record yet" in line
    assert not Path(places.audit_file()).exists()


# --- audit verify -------------------------------------------------------------------------------


def test_p19_verify_says_what_was_checked(audit, capsys):
    audit.write([intent(1), intent(2)], [answered(1)])
    audit.checkpoint()
    assert run(["audit", "verify"]) == 0
    (line,) = out(capsys)
    assert line.startswith("3 rows and 1 heads fit; the last is row 3, ")


def test_p19_verify_names_each_bad_row_and_fails(audit, capsys, tmp_path):
    audit.write([intent(number) for number in range(1, 6)])
    audit.checkpoint()
    heads = tmp_path / "heads"
    heads.write_bytes((Path(places.state_dir()) / "audit.heads").read_bytes())
    with closing(sqlite3.connect(places.audit_file(), isolation_level=None)) as db:
        db.execute("UPDATE calls SET tool = 'x' WHERE id = 2")
        db.execute("DELETE FROM calls WHERE id = 4")
    assert run(["audit", "verify", "--heads", str(heads)]) == 1
    assert out(capsys) == [
        "call 2: changed, or moved from another place",
        "row 4 missing before call 5",
        "2 of 4 rows and 1 heads do not fit",
    ]


def test_p10_what_verify_quotes_of_a_record_made_by_others_moves_no_terminal(audit, capsys):
    audit.write([intent(1)], [answered(1)])
    audit.checkpoint()
    with closing(sqlite3.connect(places.audit_file())) as db, db:
        (view,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'open_calls'").fetchone()
        db.execute("CREATE TABLE other AS SELECT * FROM steps")  # without the checks of the first
        db.execute("UPDATE other SET call = ?", (HOSTILE,))
        db.execute("DROP VIEW open_calls")
        db.execute("DROP TABLE steps")
        db.execute("ALTER TABLE other RENAME TO steps")
        db.execute(view)
    assert run(["audit", "verify"]) == 1
    lines = out(capsys)
    assert lines[0].startswith("step 2 (of call ‹ESC›]52;c;aGk=‹BEL›‹U+202E›")
    assert all(line.isprintable() for line in lines)


def test_times_are_local(audit):
    audit.write([intent(1)])
    line = as_line(audit.get(1))
    assert line.startswith("2026-11-0")
    assert f":{(START_MS // 1000 + 1) % 60:02d}  #1" in line
