"""The record: what is written, what is read back, and who may open it."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from mcpwall.model import Action, Cause, Risk, Verdict
from mcpwall.store.audit import WAL_BYTES, Audit
from mcpwall.store.faults import AuditError
from mcpwall.store.reader import CLOCK_SLACK_MS
from mcpwall.store.records import ARGUMENTS_MAX, EXCERPT, Kind
from tests.helpers.audit_values import (
    ALLOW,
    ASK,
    DENY,
    START_MS,
    answered,
    charged,
    intent,
    step,
)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state" / "audit.db")


@pytest.fixture
def audit(path):
    with Audit.open(path, boot="boot-1") as opened:
        yield opened


# --- what is written is read back ---------------------------------------------------------------


def test_a_call_is_read_back_as_it_was_judged(audit):
    verdict = Verdict(
        Action.DENY, Cause.LIMIT, rules=("cap", "cap2"), reason="too many", retry_s=7, policy="p9"
    )
    made = intent(
        5,
        "refused",
        verdict,
        arguments=b'{"a":"\xe2\x82\xac"}',
        request_id="7",
        risk=Risk.EXECUTE,
        agent="x#2",
    )
    audit.write([made])
    row = audit.get(5)
    call = made.call
    assert (row.id, row.at_ms, row.session, row.agent) == (5, call.at_ms, "s1", "x#2")
    assert (row.server, row.tool, row.risk, row.digest) == (
        "fs",
        "read_file",
        Risk.EXECUTE,
        call.digest,
    )
    assert (row.verdict, row.judged, row.state) == (verdict, verdict, "refused")
    assert (row.arguments, row.preview, row.size) == ('{"a":"€"}', '{"a":"€"}', 11)
    assert (row.request_id, row.directory) == ("7", "/home/dev/acme")
    assert audit.get(4) is None


def test_request_ids_keep_their_type(audit):
    audit.write([intent(1, request_id="7"), intent(2, request_id=7)])
    assert [audit.get(1).request_id, audit.get(2).request_id] == ["7", 7]
    assert [call.request_id for call in audit.unfinished()] == ["7", 7]


@pytest.mark.parametrize("size", [ARGUMENTS_MAX, ARGUMENTS_MAX + 1])
def test_arguments_are_kept_whole_up_to_a_size_and_then_as_an_excerpt(audit, size):
    raw = ('"' + "€" * ((size - 2) // 3) + "x" * ((size - 2) % 3) + '"').encode()
    audit.write([intent(1, arguments=raw)])
    row = audit.get(1)
    assert row.size == len(raw) == size
    if size <= ARGUMENTS_MAX:
        assert (row.arguments, row.excerpt) == (raw.decode(), "")
    else:
        assert row.arguments is None
        assert raw.decode().startswith(row.excerpt)
        assert EXCERPT - 3 <= len(row.excerpt.encode()) <= EXCERPT
    assert row.preview == raw.decode()[:600]


ANSWERED_BY_A_PERSON = Verdict(Action.ALLOW, Cause.PERSON, rules=("asks",), policy="p1")


@pytest.mark.parametrize(
    ("state", "steps", "expected"),
    [
        ("running", [], "running"),
        ("held", [], "held"),
        ("refused", [], "refused"),
        ("running", [answered(1)], "done"),
        ("running", [answered(1, is_error=True)], "error"),
        ("running", [step(1, Kind.LOST)], "lost"),
        ("running", [step(1, Kind.WITHDRAWN)], "withdrawn"),
        ("held", [step(1, Kind.WITHDRAWN)], "withdrawn"),
        ("held", [step(1, Kind.REFUSED, DENY)], "refused"),
        ("held", [step(1, Kind.RELEASED, ANSWERED_BY_A_PERSON)], "running"),
        ("held", [step(1, Kind.RELEASED, ANSWERED_BY_A_PERSON), answered(1)], "done"),
    ],
)
def test_steps_tell_where_a_call_stands_and_whether_it_is_finished(audit, state, steps, expected):
    audit.write([intent(1, state)])
    audit.write([], steps)
    row = audit.get(1)
    assert row.state == expected
    assert row.judged == {"running": ALLOW, "held": ASK, "refused": DENY}[state]
    verdicts = [one.verdict for one in steps if one.verdict]
    assert row.verdict == (verdicts or [row.judged])[-1]
    open_states = [call.state for call in audit.unfinished()]
    assert open_states == ([expected] if expected in ("running", "held") else [])


def test_an_answer_leaves_its_size_time_and_who_decided(audit):
    audit.write([intent(1, "held")])
    audit.write([], [step(1, Kind.RELEASED, ANSWERED_BY_A_PERSON, by="person", note="allowed")])
    audit.write([], [answered(1, took_us=9, is_error=True, result_bytes=12)])
    row = audit.get(1)
    assert (row.took_us, row.is_error, row.result_bytes) == (9, True, 12)
    assert (row.by, row.note) == ("person", "allowed")


def test_unfinished_calls_by_session_and_across_engines(audit, path):
    audit.write([intent(1), intent(2, "held", session="s2"), intent(3), intent(4, session="s2")])
    audit.write([], [answered(1), answered(4)])
    assert [call.id for call in audit.unfinished()] == [2, 3]
    assert [call.id for call in audit.unfinished("s2")] == [2]
    audit.close()
    with Audit.open(path, boot="boot-1") as later:
        assert [(call.id, call.state) for call in later.unfinished()] == [
            (2, "held"),
            (3, "running"),
        ]
        later.write([intent(5)], [step(2, Kind.WITHDRAWN), step(3, Kind.LOST)])
        later.checkpoint()
        assert [call.id for call in later.unfinished()] == [5]
    with Audit.open(path, boot="boot-1") as last:
        assert [call.id for call in last.unfinished()] == [5]


def test_a_record_put_back_from_a_copy_forgets_what_newer_heads_say_is_settled(audit, path):
    audit.write([intent(1)])
    audit.close()
    copy = Path(path).read_bytes()
    with Audit.open(path, boot="boot-1") as newer:
        newer.write([intent(2), intent(3)], [answered(1), answered(2), answered(3)])
    Path(path).write_bytes(copy)
    with Audit.open(path, boot="boot-1") as older:
        assert [call.id for call in older.unfinished()] == [1]


def test_call_numbers_only_grow(audit, path):
    assert audit.last_id() == 0
    audit.write([intent(3), intent(7)])
    for number in (3, 7):
        with pytest.raises(AuditError, match=f"call {number} comes after call 8"):
            audit.write([intent(8), intent(number)])
    assert (audit.last_id(), audit.count()) == (7, 2)
    audit.write([intent(8)])
    with Audit.reader(path) as reader:
        assert (reader.last_id(), reader.count()) == (8, 3)


# --- bookings -----------------------------------------------------------------------------------


def bookings(audit, *since):
    return [(one.rule, one.amount) for one in audit.charges(*since)]


def test_forwarded_calls_have_booked_and_no_others(audit):
    audit.write(
        [
            intent(1, "running", charged("a")),
            intent(2, "held", charged("b")),
            intent(3, "refused", charged("c")),
            intent(4, "held", charged("d")),
            intent(5, "held", charged("e")),
        ]
    )
    audit.write(
        [],
        [
            step(2, Kind.RELEASED, charged("b", "2.50")),
            step(4, Kind.REFUSED, charged("d")),
            step(1, Kind.LOST),
        ],
    )
    assert bookings(audit, 0) == [("b", "2.50"), ("a", "1")]
    (first, _) = audit.charges(0)
    assert first.key == "b|fs"
    assert (first.at_ms, first.steady_ns, first.boot) == (
        START_MS + 12_000,
        12_000_000_000,
        "boot-1",
    )


def test_bookings_of_this_boot_go_by_the_steady_clock_whatever_the_wall_clock_says(audit):
    day = 24 * 3600 * 1000
    for number, jump in enumerate((0, 40 * day, -40 * day), 1):
        audit.write([intent(number, verdict=charged(str(number)), at_ms=START_MS + jump)])
    now_after_a_jump_ahead = START_MS + 80 * day
    assert bookings(audit, now_after_a_jump_ahead) == [("3", "1"), ("2", "1"), ("1", "1")]
    assert bookings(audit, now_after_a_jump_ahead, 2_000_000_000) == [("3", "1"), ("2", "1")]


def test_bookings_of_an_earlier_boot_go_by_the_wall_clock(audit, path):
    at = {1: -2 * CLOCK_SLACK_MS, 2: 0, 3: -1_000, 4: 500}  # set back once, by a second
    for number, offset in at.items():
        made = intent(number, verdict=charged(str(number)), at_ms=START_MS + offset, steady_ns=1)
        audit.write([made])
    audit.close()
    with Audit.open(path, boot="boot-2") as later:
        later.write([intent(5, verdict=charged("5"), at_ms=0, steady_ns=1)])
        assert bookings(later, START_MS, 0) == [("5", "1"), ("4", "1"), ("2", "1")]


def test_bookings_of_a_boot_without_a_name_go_by_the_wall_clock(tmp_path):
    with Audit.open(str(tmp_path / "state" / "audit.db"), boot="") as audit:
        audit.write([intent(1, verdict=charged("1")), intent(2, verdict=charged("2"), steady_ns=1)])
        assert bookings(audit, START_MS + 2_000, 10**12) == [("2", "1")]


# --- reading ------------------------------------------------------------------------------------


def test_recent_goes_back_page_by_page(audit):
    audit.write([intent(number) for number in range(1, 8)])
    assert [row.id for row in audit.recent(3)] == [7, 6, 5]
    assert [row.id for row in audit.recent(3, before=5)] == [4, 3, 2]
    assert [row.id for row in audit.recent(3, before=2)] == [1]
    assert audit.recent(3, before=1) == []


def test_search_finds_the_newest_first_over_many_pages(audit):
    audit.write([intent(number, tool=f"t{number % 2}") for number in range(1, 501)])
    odd = list(audit.search(lambda row: row.tool == "t1"))
    assert [row.id for row in odd] == list(range(499, 0, -2))
    assert [row.id for row in audit.search(lambda row: row.tool == "t0", limit=2)] == [500, 498]
    assert list(audit.search(lambda _: True, limit=0)) == []


def test_search_since_allows_for_a_clock_that_was_set_back_but_does_not_read_everything(audit):
    audit.write(
        [
            intent(1, at_ms=START_MS + 1),  # in time, but beyond the end of the search
            intent(2, at_ms=START_MS - CLOCK_SLACK_MS - 1),
            intent(3, at_ms=START_MS + 5),
            intent(4, at_ms=START_MS - 1_000),
            intent(5, at_ms=START_MS),
        ]
    )
    assert [row.id for row in audit.search(lambda _: True, since_ms=START_MS)] == [5, 3]


def test_a_reader_beside_the_engine_sees_each_change_once(audit, path):
    audit.write([intent(1), intent(2, "held")])
    with Audit.reader(path) as reader:
        place = reader.end()
        assert reader.changed(place) == ([], place)
        audit.write([intent(3), intent(4)], [answered(1), answered(3)])
        rows, place = reader.changed(place)
        assert [(row.id, row.state) for row in rows] == [(1, "done"), (3, "done"), (4, "running")]
        audit.write([], [step(2, Kind.REFUSED, DENY), step(4, Kind.LOST)])
        rows, place = reader.changed(place)
        assert [(row.id, row.state) for row in rows] == [(2, "refused"), (4, "lost")]
        assert reader.changed(place)[0] == []


def test_a_reader_cannot_write_and_works_without_an_engine(audit, path):
    audit.write([intent(1)])
    audit.close()
    with Audit.reader(path) as reader:
        assert reader.get(1).id == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._db.execute("DELETE FROM calls")


def test_a_row_that_no_engine_wrote_is_an_error_not_a_crash(audit, path):
    audit.write([intent(1)])
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE calls SET rules = 'no json'")
    with pytest.raises(AuditError, match=r"damaged.*mcpwall audit verify"):
        audit.recent(1)


# --- checkpoints --------------------------------------------------------------------------------


def test_the_write_ahead_log_stays_bounded(audit, path):
    largest = 0
    for number in range(1, 1_001):
        audit.write([intent(number, arguments=b"x" * 30_000)])
        if audit.checkpoint_due:
            audit.checkpoint()
            assert not audit.checkpoint_due
        largest = max(largest, Path(path + "-wal").stat().st_size)
    assert WAL_BYTES // 4 < largest < WAL_BYTES
    assert audit.verify().problems == ()


def test_a_reader_in_the_middle_of_reading_puts_off_the_head_but_fails_nothing(audit, path):
    heads = Path(path).with_suffix(".heads")
    audit.write([intent(1)])
    with closing(sqlite3.connect(path, isolation_level=None)) as reading:
        reading.execute("BEGIN")
        assert reading.execute("SELECT count(*) FROM calls").fetchone() == (1,)
        audit.write([intent(2)])
        audit.checkpoint()
        assert not heads.exists()  # call 2 is not in the database itself yet
        audit.write([intent(3)])
        assert reading.execute("SELECT count(*) FROM calls").fetchone() == (1,)
    assert audit.count() == 3
    audit.checkpoint()
    assert heads.read_text().startswith("3 ")


# --- who may open it ----------------------------------------------------------------------------


def test_p17_the_record_is_the_users_alone(audit, path):
    audit.write([intent(1)])
    audit.checkpoint()
    folder = Path(path).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    names = ("audit.db", "audit.db-wal", "audit.db-shm", "audit.heads")
    assert modes == dict.fromkeys(names, 0o600)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_p17_a_record_that_others_may_read_is_refused(audit, path, mode):
    audit.close()
    Path(path).chmod(mode)
    with pytest.raises(AuditError, match=r"audit.db: .*chmod 600"):
        Audit.open(path, boot="b")


def test_p17_a_link_a_fifo_or_a_second_name_is_refused(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    link, fifo, other, second = (folder / name for name in ("l", "f", "o", "s"))
    link.symlink_to(tmp_path / "elsewhere")
    os.mkfifo(fifo, 0o600)
    other.touch(mode=0o600)
    second.hardlink_to(other)
    for name in (link, fifo, second):
        with pytest.raises(AuditError, match="move it away"):
            Audit.open(str(name), boot="b")
    assert not (tmp_path / "elsewhere").exists()


def test_p17_a_directory_that_others_may_look_into_is_refused(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    with pytest.raises(AuditError, match="chmod 700"):
        Audit.open(str(folder / "audit.db"), boot="b")


def test_a_file_that_is_no_database_is_refused_and_left_alone(path):
    Path(path).parent.mkdir(mode=0o700)
    Path(path).write_bytes(b"precious " * 1_000)
    Path(path).chmod(0o600)
    with pytest.raises(AuditError, match=r"not a database; move it away"):
        Audit.open(path, boot="b")
    assert Path(path).read_bytes() == b"precious " * 1_000
    with pytest.raises(AuditError, match="not a database"):
        Audit.reader(path)


def test_a_record_of_a_newer_program_is_refused_and_left_alone(audit, path):
    audit.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = Path(path).read_bytes()
    for attempt in (lambda: Audit.open(path, boot="b"), lambda: Audit.reader(path)):
        with pytest.raises(AuditError, match=r"version 99.*update mcpwall"):
            attempt()
    assert Path(path).read_bytes() == before


def test_a_record_that_is_not_there_is_said_to_be_missing(path):
    with pytest.raises(AuditError, match="no record yet"):
        Audit.reader(path)
    assert not Path(path).exists()


def test_a_record_that_cannot_be_made_says_why(tmp_path):
    (tmp_path / "state").touch()
    with pytest.raises(AuditError, match=r"state.*; "):
        Audit.open(str(tmp_path / "state" / "audit.db"), boot="b")
