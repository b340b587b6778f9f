"""P1 and P12 at the intake: what `write` returned for is filed, now or by the next engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.store.audit import Audit
from mcpwall.store.faults import AuditError
from mcpwall.store.intake import FILE_AT, SIZE, TRUST_NS, Intake
from mcpwall.store.records import Intent, Kind, Step
from tests.helpers.audit_values import answered, charged, intent

NOW_NS = 10 * TRUST_NS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def opened(folder: Path) -> Intake:
    audit = Audit.open(str(folder / "audit.db"), boot="boot-1")
    return Intake.open(audit, str(folder / "audit.intake"))


def killed(intake: Intake) -> None:
    """Let go of the files as a killed process does."""
    intake.audit._db.close()
    os.close(intake._fd)


@pytest.fixture
def intake(folder: Path) -> Iterator[Intake]:
    made = opened(folder)
    made.write([intent(1, steady_ns=NOW_NS)])  # the first after a pause is filed at once
    assert made.waiting == 0
    yield made
    made.close()


def call(number: int, after_ns: int = 1, **options: Any) -> Intent:
    return intent(number, steady_ns=NOW_NS + after_ns, **options)


def test_p11_a_release_is_filed_before_the_calls_that_came_after_it(intake: Intake) -> None:
    intake.write([call(2, state="held"), call(3, state="held")])
    intake.write([], [Step(2, Kind.RELEASED, 1, NOW_NS + 2, by="person")])
    intake.write([call(4, after_ns=3)])
    intake.write([], [answered(2)])
    intake.write([call(5, after_ns=4)])
    assert intake.waiting == 3, "an answer need not be filed at once"
    intake.file()
    told = [one.row.id if one.row else one.step and one.step.kind for one in intake.audit.history()]
    assert told == [1, 2, 3, Kind.RELEASED, 4, 5, Kind.ANSWERED]


def test_what_comes_soon_after_waits_and_is_filed_together(intake: Intake) -> None:
    intake.write([call(2), call(3)])
    intake.write([], [answered(2)])
    assert (intake.waiting, intake.audit.last_id()) == (3, 1)
    intake.file()
    assert (intake.waiting, intake.audit.last_id()) == (0, 3)
    row = intake.audit.get(2)
    assert row is not None
    assert row.state == "done"
    assert intake.audit.verify().problems == ()


def test_after_a_pause_a_call_is_filed_before_it_is_forwarded(intake: Intake) -> None:
    intake.write([call(2, TRUST_NS + 1)])
    assert intake.audit.last_id() == 2


def test_many_and_large_calls_are_filed_at_once(intake: Intake) -> None:
    intake.write([call(2)])
    intake.write([call(3, arguments=b'"' + b"x" * SIZE + b'"')])
    assert intake.audit.last_id() == 3
    intake.write([call(number) for number in range(4, 4 + FILE_AT)])
    assert intake.audit.last_id() == 3 + FILE_AT


@settings(max_examples=30)
@given(st.lists(st.one_of(st.none(), st.integers(1, 5)), max_size=12))
def test_p12_the_next_engine_files_what_a_killed_one_left(
    tmp_path_factory: pytest.TempPathFactory, moves: list[int | None]
) -> None:
    folder = tmp_path_factory.mktemp("h") / "state"
    intake = opened(folder)
    intake.write([intent(1, steady_ns=NOW_NS)])
    last = 1
    for move in moves:
        if move is None:
            intake.file()
        else:
            intake.write([call(last + n) for n in range(1, move + 1)], [answered(last)])
            last += move
    killed(intake)
    again = opened(folder)
    assert [row.id for row in reversed(again.audit.recent(1000))] == list(range(1, last + 1))
    finished = [row.id for row in again.audit.recent(1000) if row.state == "done"]
    assert len(finished) == sum(move is not None for move in moves)
    assert again.audit.verify().problems == ()
    again.close()


def test_what_was_filed_just_before_a_kill_is_not_filed_twice(folder: Path) -> None:
    intake = opened(folder)
    intake.write([intent(1, steady_ns=NOW_NS)])
    intake.write([call(2)], [answered(1)])
    left = (folder / "audit.intake").read_bytes()
    intake.file()
    killed(intake)
    (folder / "audit.intake").write_bytes(left)
    again = opened(folder)
    assert again.audit.last_id() == 2
    assert again.audit.seq == 3
    again.close()


def test_p09_what_is_left_from_before_a_reboot_keeps_its_boot(folder: Path) -> None:
    intake = opened(folder)
    intake.write([intent(1, steady_ns=NOW_NS)])
    intake.write([call(2, verdict=charged("2"))])
    killed(intake)
    audit = Audit.open(str(folder / "audit.db"), boot="boot-2")
    again = Intake.open(audit, str(folder / "audit.intake"))
    assert [booking.boot for booking in audit.charges(0)] == ["boot-1"]
    again.close()


def test_a_torn_entry_was_never_acted_on(folder: Path) -> None:
    intake = opened(folder)
    intake.write([intent(1, steady_ns=NOW_NS)])
    intake.write([call(2)])
    whole = intake._at
    intake.write([call(3)])
    killed(intake)
    os.truncate(folder / "audit.intake", whole + 50)
    again = opened(folder)
    assert again.audit.last_id() == 2
    again.close()


def test_a_file_that_is_no_intake_is_refused_and_left_alone(folder: Path) -> None:
    opened(folder).close()
    noise = (1 << 40).to_bytes(8, "little") + bytes(64) + (5).to_bytes(8, "little") + b"noise"
    (folder / "audit.intake").write_bytes(noise)
    with pytest.raises(AuditError, match=r"audit\.intake"):
        opened(folder)
    assert (folder / "audit.intake").read_bytes() == noise


def test_p01_when_the_intake_cannot_be_written_nothing_is_kept(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(AuditError, match="No space"):
            intake.write([call(2)])
    intake.write([call(2)])
    intake.file()
    assert intake.audit.last_id() == 2


def test_p01_when_filing_fails_nothing_more_is_taken_in(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, intents: list[Intent], steps: list[Step]) -> None:
        raise AuditError("full", "audit.db", "make space")

    intake.write([call(2)])
    with monkeypatch.context() as patch:
        patch.setattr(Audit, "write", full)
        for _ in range(2):
            with pytest.raises(AuditError):
                intake.file()
        with pytest.raises(AuditError):
            intake.write([call(3)])
    assert intake.waiting == 1
    intake.write([call(3)])  # there is room again: what waited is filed first
    assert intake.audit.last_id() == 2
    intake.file()
    assert intake.audit.last_id() == 3


def test_p17_the_intake_is_the_users_alone(intake: Intake, folder: Path) -> None:
    assert (folder / "audit.intake").stat().st_mode & 0o777 == 0o600


def test_p12_an_entry_that_a_kill_cut_short_does_not_stop_the_next_engine(folder: Path) -> None:
    """A kill ends a write between two pages: what stood behind them is older entries' text."""
    intake = opened(folder)
    intake.write([intent(1, steady_ns=NOW_NS)])
    intake.write([call(2)])
    intake.write([call(3, arguments=b'"' + b"x" * 8_000 + b'"')])
    killed(intake)
    path = folder / "audit.intake"
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"older " * 682 + b"text"
    path.write_bytes(data)
    after = opened(folder)
    assert after.audit.last_id() == 2  # the third had not been recorded, so it was not forwarded
    after.close()


def test_p01_a_disk_that_takes_a_part_of_an_entry_took_none(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "pwrite", lambda _fd, data, _at: len(data) - 1)
    with pytest.raises(AuditError, match="space"):
        intake.write([call(2)])
    assert intake.waiting == 0
