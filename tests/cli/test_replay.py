"""`mcpwall replay`, on the record of an engine that was killed."""

import json
import sqlite3
from contextlib import closing

import pytest

from mcpwall.cli.main import run
from tests.engine.wall import Wall, call

RULES = """\
[[rules]]
id = "cap"
tool = "look"
rate_limit = { max = 2, window = 60 }
"""


@pytest.fixture
def recorded(home, monkeypatch):
    """A home whose record has three calls, the last of them refused by a limit."""
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    wall = Wall(home, RULES)
    talk = wall.session()
    talk.asks(*(call(number, "look", {"at": number}) for number in range(3)))
    wall.intake.file()
    wall.drop()
    return home


@pytest.fixture
def db(recorded):
    """Somebody changes the record with other means."""

    def change(sql):
        path = recorded / "state" / "audit.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as opened:
            opened.execute(sql)

    return change


def test_by_the_rules_of_then_nothing_differs(recorded, capsys):
    assert run(["replay"]) == 0
    assert capsys.readouterr().out == "3 verdicts made again: 0 differ\n"
    assert run(["replay", "tool:other"]) == 0
    assert capsys.readouterr().out == "0 verdicts made again: 0 differ\n"


def test_other_rules_show_what_they_would_have_changed(recorded, capsys, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(RULES.replace("max = 2", "max = 1") + 'reason = "slow down"\n')
    other.chmod(0o600)
    assert run(["replay", "--config", str(other)]) == 0
    line, last = capsys.readouterr().out.splitlines()
    assert "#2  claude-code#1  notes.look  allow  →  limit cap  At most 1 call in any 60 s" in line
    assert last == "3 verdicts made again: 1 differ"
    assert run(["replay", "--json", "--config", str(other)]) == 0
    told, counts = map(json.loads, capsys.readouterr().out.splitlines())
    assert (told["call"], told["then"]["action"], told["now"]["cause"]) == (2, "allow", "limit")
    assert counts == {"same": 2, "differ": 1, "missing": {}}


def test_a_policy_that_was_changed_in_the_record_is_not_believed(recorded, capsys, db):
    db("UPDATE policies SET text = replace(text, '\"max\":2', '\"max\":9')")
    assert run(["replay"]) == 0
    assert "3 could not be: its rules are not in the record (3)" in capsys.readouterr().out
    db("UPDATE policies SET text = 'x'")
    assert run(["replay"]) == 0


def test_a_verdict_that_differs_from_its_own_rules_is_an_alarm(recorded, capsys, db):
    db("UPDATE calls SET action = 'allow', cause = 'default', rules = '[]' WHERE id = 3")
    assert run(["replay"]) == 1
    assert "allow  →  limit cap" in capsys.readouterr().out


def test_what_is_no_filter_or_no_config_is_said(recorded, capsys, tmp_path):
    assert run(["replay", "risk>>"]) == 2
    assert capsys.readouterr().err.startswith("mcpwall: filter: ")
    assert run(["replay", "--config", str(tmp_path / "none.toml")]) == 2
