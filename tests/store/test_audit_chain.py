"""P19: whoever changes the record is found out, as far as chain and heads can show it."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from mcpwall.model import Reads
from mcpwall.store import chain
from mcpwall.store.audit import Audit
from mcpwall.store.faults import AuditError
from mcpwall.store.records import Grounds, Kind
from mcpwall.store.rows import CALL_COLUMNS, STEP_COLUMNS
from tests.helpers.audit_values import ALLOW, DENY, answered, charged, intent, step

CHANGED = {"INTEGER": 123_456, "TEXT": "other"}


@pytest.fixture
def path(tmp_path):
    """A closed record: calls 1 to 6 are rows 1-2, 4-7; their steps are rows 3, 8, 9, 10."""
    path = str(tmp_path / "state" / "audit.db")
    with Audit.open(path, boot="boot-1") as audit:
        audit.write([intent(1), intent(2, "held")], [answered(1)])
        audit.write([intent(3, verdict=charged()), intent(4, "refused"), intent(5), intent(6)])
        audit.write([], [step(2, Kind.RELEASED, ALLOW), answered(3), answered(5)])
    return path


def tamper(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            assert db.execute(statement).rowcount > 0


def problems(path, heads=None):
    with Audit.reader(path) as reader:
        return list(reader.verify(heads).problems)


def test_p19_an_untouched_record_fits(path):
    with Audit.reader(path) as reader:
        report = reader.verify()
    assert (report.rows, report.head.seq, report.heads, report.problems) == (10, 10, 1, ())


@pytest.mark.parametrize("column", [name for name in CALL_COLUMNS if name not in ("id", "seq")])
def test_p19_an_edited_column_of_a_call_is_named(path, column):
    with closing(sqlite3.connect(path)) as db:
        kinds = {row[1]: row[2] for row in db.execute("PRAGMA table_info(calls)")}
    tamper(path, f"UPDATE calls SET {column} = '{CHANGED[kinds[column]]}' WHERE id = 3")
    assert problems(path) == ["call 3: changed, or moved from another place"]


@pytest.mark.parametrize("column", [name for name in STEP_COLUMNS if name != "seq"])
def test_p19_an_edited_column_of_a_step_is_named(path, column):
    with closing(sqlite3.connect(path)) as db:
        kinds = {row[1]: row[2] for row in db.execute("PRAGMA table_info(steps)")}
    tamper(path, f"UPDATE steps SET {column} = '{CHANGED[kinds[column]]}' WHERE seq = 8")
    (problem,) = problems(path)
    assert problem.startswith("step 8 (of call ")


def test_p19_a_call_under_another_number_is_named(path):
    tamper(path, "UPDATE calls SET id = 77 WHERE id = 3")
    assert problems(path) == ["call 77: changed, or moved from another place"]


def test_p19_a_chain_written_over_is_named_with_the_row_after_it(path):
    tamper(path, "UPDATE calls SET chain = zeroblob(32) WHERE id = 3")
    assert [problem.split(":")[0] for problem in problems(path)] == ["call 3", "call 4"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM calls WHERE id = 3", "row 4 missing before call 4"),
        ("DELETE FROM calls WHERE id IN (3, 4)", "rows 4 to 5 missing before call 5"),
        ("DELETE FROM calls WHERE id = 1", "row 1 missing before call 2"),
        ("DELETE FROM steps WHERE seq = 9", "row 9 missing before step 10 (of call 5)"),
        (
            "DELETE FROM steps WHERE seq = 10",
            "row 10 missing at the end: cut off after a head was noted",
        ),
    ],
)
def test_p19_a_deleted_row_is_missed_where_it_stood(path, statement, expected):
    tamper(path, statement)
    assert problems(path) == [expected]


def test_p19_a_gap_closed_by_new_numbers_is_found(path):
    tamper(
        path,
        "DELETE FROM calls WHERE id = 4",
        "UPDATE calls SET seq = seq - 1 WHERE seq > 5",
        "UPDATE steps SET seq = seq - 1 WHERE seq > 7",
    )
    found = problems(path)
    assert "call 5: changed, or moved from another place" in found
    assert "row 10 missing at the end: cut off after a head was noted" in found


def test_p19_two_rows_that_changed_places_are_named(path):
    tamper(
        path,
        "UPDATE calls SET seq = -4 WHERE seq = 4",
        "UPDATE calls SET seq = 4 WHERE seq = 5",
        "UPDATE calls SET seq = 5 WHERE seq = -4",
    )
    named = [problem.split(":")[0] for problem in problems(path)]
    assert named[:2] == ["call 4", "call 3"]


def test_p19_a_row_put_in_is_named(path):
    columns = ", ".join(name for name in (*CALL_COLUMNS, "chain") if name not in ("id", "seq"))
    copy = f"INSERT INTO calls (id, seq, {columns}) SELECT"
    tamper(path, f"{copy} 70, 5, {columns} FROM calls WHERE id = 3")
    assert problems(path) == ["call 70: its number 5 is taken by another row"]


def test_p19_a_row_added_at_the_end_is_named(path):
    columns = ", ".join(name for name in (*CALL_COLUMNS, "chain") if name not in ("id", "seq"))
    copy = f"INSERT INTO calls (id, seq, {columns}) SELECT"
    tamper(path, f"{copy} 70, 11, {columns} FROM calls WHERE id = 3")
    assert problems(path) == ["call 70: changed, or moved from another place"]


# --- heads --------------------------------------------------------------------------------------


def cut_off(path):
    tamper(path, "DELETE FROM steps WHERE seq >= 8", "DELETE FROM calls WHERE seq >= 6")


def test_p19_a_cut_tail_is_missed_by_the_head_and_still_so_when_the_record_grew_again(path):
    cut_off(path)
    assert problems(path) == ["rows 6 to 10 missing at the end: cut off after a head was noted"]
    with Audit.open(path, boot="boot-1") as audit:
        audit.write([intent(number) for number in range(5, 20)])
    assert problems(path) == ["call 9: computed anew after a head was noted for it"]


def test_p19_a_record_computed_anew_fits_by_itself_but_not_a_head_noted_elsewhere(path, tmp_path):
    heads = Path(chain.heads_file(path))
    elsewhere = tmp_path / "copy.heads"
    elsewhere.write_bytes(heads.read_bytes())
    Path(path).unlink()
    heads.unlink()
    with Audit.open(path, boot="boot-1") as audit:
        audit.write([intent(1, "refused", DENY), *(intent(number) for number in range(2, 12))])
    assert problems(path) == []  # the limit: whoever can write here can write all of it anew
    assert problems(path, str(elsewhere)) == [
        "call 10: computed anew after a head was noted for it"
    ]


def test_p19_what_is_newer_than_the_last_head_can_be_cut_off_unseen(path):
    audit = Audit.open(path, boot="boot-1")
    audit.write([intent(7), intent(8)])
    tamper(path, "DELETE FROM calls WHERE id = 8")
    assert problems(path) == []  # the limit, said in store/chain.py
    audit.close()


def test_heads_are_noted_when_there_is_something_new(path):
    heads = Path(chain.heads_file(path))
    with Audit.open(path, boot="boot-1") as audit:
        audit.checkpoint()
        assert len(heads.read_text().splitlines()) == 1
        audit.write([intent(7)])
        assert len(heads.read_text().splitlines()) == 1
        audit.checkpoint()
        audit.checkpoint()
    assert [line.split()[0] for line in heads.read_text().splitlines()] == ["10", "11"]


def test_a_torn_line_is_reported_and_the_next_one_stands_by_itself(path):
    heads = Path(chain.heads_file(path))
    with heads.open("a") as file:
        file.write("11 ab")
    with Audit.open(path, boot="boot-1") as audit:
        audit.write([intent(7)])
    assert problems(path) == ["heads line 2 cannot be read"]
    assert [head.seq for head in chain.read_heads(str(heads)).heads] == [10, 11]


def test_heads_that_are_not_there_are_missed_only_when_they_were_named(path, tmp_path):
    Path(chain.heads_file(path)).unlink()
    assert problems(path) == []
    with pytest.raises(AuditError, match="no such file"):
        problems(path, str(tmp_path / "nothing"))


# --- the chain itself ---------------------------------------------------------------------------


def test_the_chain_can_be_computed_with_nothing_of_ours(path):
    rows = []
    with closing(sqlite3.connect(path)) as db:
        for *values, stored, grounds in db.execute("SELECT * FROM calls"):
            told = [] if grounds is None else [grounds]
            rows.append((values[1], "calls", [*values, *told], stored))
        for *values, stored, arguments, digest, risk in db.execute("SELECT * FROM steps"):
            later = [arguments, digest, risk]
            while later and later[-1] is None:
                later.pop()
            rows.append((values[0], "steps", [*values, *later], stored))
    previous = bytes(32)
    for _, table, values, stored in sorted(rows):
        text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(previous + table.encode() + text.encode()).digest() == stored
        previous = stored
    assert len(rows) == 10


def test_the_chain_goes_on_after_the_record_was_opened_again(path):
    for number in (7, 8, 9):
        with Audit.open(path, boot=f"boot-{number}") as audit:
            audit.write([intent(number)], [answered(number)])
    with Audit.reader(path) as reader:
        report = reader.verify()
    assert (report.rows, report.heads, report.problems) == (16, 4, ())


def test_verify_runs_beside_a_writing_engine(path):
    with Audit.open(path, boot="boot-1") as audit, Audit.reader(path) as reader:
        for number in range(7, 20):
            audit.write([intent(number)])
            report = reader.verify()
            assert (report.rows, report.problems) == (number + 4, ())


def test_p19_an_edit_that_was_taken_out_of_the_record_is_named(path):
    with Audit.open(path, boot="boot-1") as audit:
        edited = {"arguments_json": b'{"path":"b"}', "digest": "ab" * 32}
        audit.write([intent(7, "held")], [step(7, Kind.RELEASED, ALLOW, **edited)])
    assert problems(path) == []
    tamper(path, "UPDATE steps SET arguments = NULL, digest = NULL WHERE call = 7")
    assert problems(path) == ["step 12 (of call 7): changed, or moved from another place"]


def test_p19_what_a_verdict_was_made_from_is_in_the_chain(path):
    grounds = Grounds(5, run="boot-1/7", reads=(Reads.SECRETS,), paths=(("~/a", "/", None),))
    with Audit.open(path, boot="boot-1") as audit:
        audit.write([msgspec.structs.replace(intent(7), grounds=grounds)])
        row = audit.get(7)
        assert row is not None
        assert row.grounds == grounds
    assert problems(path) == []
    tamper(path, "UPDATE calls SET grounds = NULL WHERE id = 7")
    assert problems(path) == ["call 7: changed, or moved from another place"]


def test_a_record_of_the_first_version_still_fits(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("ALTER TABLE steps DROP COLUMN risk")
        db.execute("ALTER TABLE steps DROP COLUMN digest")
        db.execute("ALTER TABLE steps DROP COLUMN arguments")
        db.execute("ALTER TABLE calls DROP COLUMN grounds")
        db.execute("DROP TABLE policies")
        db.execute("DROP TABLE tool_events")
        db.execute("PRAGMA user_version = 1")
    with Audit.open(path, boot="boot-2") as audit:
        audit.write([], [answered(6)])
    assert problems(path) == []


def test_p19_rows_that_no_engine_could_have_written_are_named(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE other AS SELECT * FROM steps")  # without the checks of the first
        db.execute("DROP VIEW open_calls")
        db.execute("DROP TABLE steps")
        db.execute("ALTER TABLE other RENAME TO steps")
        db.execute("INSERT INTO steps (seq, call) VALUES ('soon', 1), (NULL, 1)")
        db.execute("UPDATE steps SET chain = 'a text' WHERE seq = 10")
    why = "no engine wrote a row like this"
    steps = ("None (of call None)", "10 (of call 5)", "soon (of call 1)")
    noted = "row 10 missing at the end: cut off after a head was noted"
    assert problems(path) == [*(f"step {step}: {why}" for step in steps), noted]
