"""P1 and P12 at the store: a write that fails leaves nothing, a write that returned is there."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from mcpwall.store.audit import Audit
from mcpwall.store.faults import AuditError
from tests.helpers.audit_values import answered, charged, intent
from tests.helpers.programs import ROOT, environment

WRITER = ROOT / "tests" / "helpers" / "audit_writer.py"


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state" / "audit.db")


@pytest.fixture
def audit(path):
    with Audit.open(path, boot="boot-1") as opened:
        yield opened


def stored(audit):
    """All that is in the record, as an outsider reads it."""
    with closing(sqlite3.connect(audit._path)) as db:
        return [db.execute(f"SELECT * FROM {table}").fetchall() for table in ("calls", "steps")]


def ends_well(audit, number):
    """The audit goes on after a fault: the same call can be written now, and the chain holds."""
    audit.write([intent(number)], [answered(number)])
    assert audit.get(number).state == "done"
    assert audit.verify().problems == ()


BATCHES = {
    "one call": ([5], []),
    "one step": ([], [1]),
    "many": ([5, 6, 7], [1, 2]),
}


class Faulty:
    """A connection whose `fail_at`-th statement fails, before or after it has done its work."""

    def __init__(self, db, error, fail_at, *, after):
        self.db, self.error, self.fail_at, self.after = db, error, fail_at, after

    def __getattr__(self, name):
        real = getattr(self.db, name)
        if name not in ("execute", "executemany"):
            return real

        def run(*args):
            self.fail_at -= 1
            if self.fail_at == 0 and not self.after:
                raise self.error
            result = real(*args)
            if self.fail_at == 0:
                raise self.error
            return result

        return run


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize(
    "error",
    [sqlite3.OperationalError("disk I/O error"), OSError(5, "Input/output error")],
    ids=["sqlite", "os"],
)
def test_p01_a_fault_in_any_statement_stores_nothing_and_raises(audit, batch, error):
    audit.write([intent(1), intent(2)])
    before = stored(audit)
    calls, steps = BATCHES[batch]
    statements = 1 if len(calls) + len(steps) == 1 else 4
    real = audit._db
    for fail_at in range(1, statements + 1):
        for after in (False, True):
            if after and fail_at == statements:
                continue  # a commit that was done is done
            audit._db = Faulty(real, error, fail_at, after=after)
            with pytest.raises(AuditError, match=r"audit\.db: .*error; "):
                audit.write([intent(n) for n in calls], [answered(n) for n in steps])
            audit._db = real
            assert stored(audit) == before
    ends_well(audit, 5)


@pytest.mark.parametrize("batch", BATCHES)
def test_p01_a_full_disk_stores_nothing_and_raises(audit, batch):
    audit.write([intent(1), intent(2)])
    (pages,) = audit._db.execute("PRAGMA page_count").fetchone()
    audit._db.execute(f"PRAGMA max_page_count = {pages}")
    calls, steps = BATCHES[batch]
    big = b"x" * 60_000
    before = stored(audit)
    with pytest.raises(AuditError, match=r"full; make space"):
        audit.write(
            [intent(n, arguments=big) for n in calls],
            [answered(n, note=big.decode()) for n in steps],
        )
    assert stored(audit) == before
    audit._db.execute("PRAGMA max_page_count = 1000000")
    ends_well(audit, 5)


def test_p01_a_value_that_cannot_be_kept_stores_nothing_and_raises(audit):
    before = stored(audit)
    wrong = [
        intent(2, tool="\ud800"),
        intent(2, arguments=b'"\xff"'),
        intent(2, at_ms=2**63),
        intent(2, "done", charged()),
    ]
    for one in wrong:
        with pytest.raises(AuditError):
            audit.write([intent(1), one])
        assert stored(audit) == before
    ends_well(audit, 1)


def test_p01_a_lock_that_another_program_holds_stores_nothing_and_raises(audit, path):
    audit.write([intent(1)])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for batch in ([intent(2)], [intent(2), intent(3)]):
            with pytest.raises(AuditError, match="locked; end the other program"):
                audit.write(batch)
    assert audit.count() == 1
    ends_well(audit, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="no file-size limits there")
def test_p01_a_file_size_limit_stores_nothing_and_raises(path):
    """The kernel refuses to let the file grow, at each of many places within a commit."""
    run = subprocess.run(
        [sys.executable, str(WRITER), path, "limited"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert run.stderr == ""
    refused, written = (
        [int(line[1:]) for line in run.stdout.split() if line[0] == sign] for sign in "-+"
    )
    assert len(refused) > 10
    with Audit.open(path, boot="boot-1") as audit:
        assert [row.id for row in reversed(audit.recent(1_000))] == written
        assert not set(refused) & set(written)
        assert audit.verify().problems == ()


@pytest.mark.parametrize("seed", range(8))
def test_p12_a_killed_writer_has_left_every_row_that_it_said_was_written(path, seed):
    lines = random.Random(seed)
    for _ in range(2):  # and the next writer goes on where the record ends
        with subprocess.Popen(
            [sys.executable, str(WRITER), path, "endless"],
            env=environment(),
            stdout=subprocess.PIPE,
        ) as writer:
            heard = [writer.stdout.readline() for _ in range(lines.randrange(1, 2_000))]
            os.kill(writer.pid, signal.SIGKILL)
            heard += writer.stdout.readlines()
        said = int([line for line in heard if line.endswith(b"\n")][-1])
        with Audit.reader(path) as reader:
            last = reader.last_id()
            assert last >= said > 0
            assert reader.count() == last  # none is missing in between
            assert reader.verify().problems == ()
    with Audit.open(path, boot="boot-1") as audit:
        charges = list(audit.charges(0))
        assert {one.key for one in charges} == {"cap|fs"}
        assert len(charges) == last
        finished = {row.id for row in audit.recent(last) if row.state == "done"}
        assert {call.id for call in audit.unfinished()} == set(range(1, last + 1)) - finished


def test_writes_go_on_while_checkpoints_run_in_a_thread(audit):
    for first in range(1, 2_001, 100):
        thread = threading.Thread(target=audit.checkpoint)
        thread.start()
        for number in range(first, first + 100):
            audit.write([intent(number, arguments=b"x" * 2_000)])
        thread.join()
    report = audit.verify()
    assert (report.rows, report.problems) == (2_000, ())
    assert report.heads >= 19  # the first checkpoint may have come before the first call


def test_a_checkpoint_that_fails_says_so_and_the_next_one_works(audit, path):
    audit.write([intent(1)])
    heads = Path(path).with_suffix(".heads")
    heads.mkdir()
    with pytest.raises(AuditError, match=r"audit\.heads: Is a directory; "):
        audit.checkpoint()
    heads.rmdir()
    audit.checkpoint()
    assert heads.read_text().startswith("1 ")
