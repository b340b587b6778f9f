from __future__ import annotations

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_calls
from mcpwall.tui import mirror as mirror_module
from mcpwall.tui.mirror import ALL, Mirror, Part
from tests.tui.scenes import ASKED, STATUS, TOTALS, busy, empty, held, row


def taken(snapshot: port.Snapshot) -> Mirror:
    mirror = Mirror()
    mirror.take(snapshot, 0)
    mirror.drain()
    return mirror


def tell(mirror: Mirror, *events: port.Event, totals: port.Totals = TOTALS) -> None:
    assert mirror.apply(port.Batch(mirror.seq + 1, totals, events), 1)


def test_a_snapshot_replaces_everything_and_says_so() -> None:
    mirror = taken(busy())
    mirror.take(empty(), 5)
    changes = mirror.drain()
    assert changes.reset
    assert changes.parts == ALL
    assert not mirror.rows
    assert not mirror.held


def test_a_call_is_replaced_in_its_place() -> None:
    mirror = taken(busy())
    before = list(mirror.rows)
    tell(mirror, port.RowEvent(replace(mirror.rows[1280], state=port_calls.State.DONE)))
    assert list(mirror.rows) == before
    assert mirror.rows[1280].state is port_calls.State.DONE
    assert [changed.id for changed in mirror.drain().rows] == [1280]


def test_only_what_changed_is_named_and_only_once() -> None:
    mirror = taken(busy())
    tell(mirror, port.StatusEvent(replace(STATUS, lockdown=True)))
    assert mirror.drain().parts == Part.STATUS
    assert mirror.drain().parts == Part.NONE


def test_waiting_calls_stand_in_the_order_of_their_deadlines() -> None:
    mirror = taken(busy())
    sooner = row(1290, "shell.run", {}, verdict=ASKED, state=port_calls.State.HELD)
    tell(mirror, port.HeldEvent(held(sooner, {}, 5)))
    assert list(mirror.held) == [1290, 1280, 1282, 1283]
    assert mirror.rows[1290] is sooner


def test_a_released_call_waits_no_longer_and_the_reason_is_kept() -> None:
    mirror = taken(busy())
    tell(mirror, port.ReleasedEvent(1280, "time is up"))
    assert 1280 not in mirror.held
    assert mirror.released[1280] == "time is up"


def test_a_gap_changes_nothing() -> None:
    mirror = taken(busy())
    assert not mirror.apply(port.Batch(5000, port.Totals(), gap=True), 1)
    assert mirror.seq == busy().seq
    assert mirror.totals == TOTALS


def test_notices_are_handed_out_once() -> None:
    mirror = taken(busy())
    tell(mirror, port.NoticeEvent("warning", "rules reloaded"))
    assert [notice.text for notice in mirror.drain().notices] == ["rules reloaded"]
    assert mirror.drain().notices == ()


def test_the_oldest_calls_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_module, "ROWS_MAX", 100)
    monkeypatch.setattr(mirror_module, "_ROWS_SLACK", 10)
    mirror = taken(empty())
    tell(mirror, *(port.RowEvent(row(n, "a.b", {})) for n in range(1, 1001)))
    assert 100 <= len(mirror.rows) <= 110
    assert max(mirror.rows) == 1000
    assert min(mirror.rows) == mirror.oldest
    tell(mirror, port.RowEvent(row(3, "a.b", {})))
    assert 3 not in mirror.rows


def test_the_rate_is_over_the_last_ten_seconds() -> None:
    mirror = taken(empty())
    for second in range(1, 31):
        mirror.apply(port.Batch(second, port.Totals(calls=second * 5)), second)
    assert mirror.rate(30) == 5
    assert mirror.rate(35) == 2.5
    assert mirror.rate(60) == 0


def test_the_rate_is_right_before_ten_seconds_have_passed() -> None:
    mirror = taken(empty())
    for second in range(1, 3):
        mirror.apply(port.Batch(second, port.Totals(calls=second * 12)), second)
    assert mirror.rate(2) == 12


def test_sessions_and_servers_are_known_by_name() -> None:
    mirror = taken(busy())
    tell(mirror, port.SessionEvent(replace(mirror.sessions["s1"], ended="agent left")))
    tell(mirror, port.ServerEvent(replace(mirror.servers["postgres"], calls=900)))
    assert mirror.sessions["s1"].ended == "agent left"
    assert mirror.servers["postgres"].calls == 900
    assert mirror.drain().parts == Part.SESSIONS | Part.SERVERS


def test_the_previous_call_like_one_is_of_the_same_client_and_tool() -> None:
    mirror = taken(busy())
    assert mirror.previous_like(mirror.rows[1279]) is mirror.rows[1266]
    assert mirror.previous_like(mirror.rows[1281]) is mirror.rows[1271]
    assert mirror.previous_like(mirror.rows[1266]) is None


def test_ended_sessions_go_when_there_are_too_many_and_live_ones_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirror_module, "_SESSIONS_MAX", 10)
    mirror = taken(busy())
    for n in range(100):
        session = replace(mirror.sessions["s1"], id=f"n{n}", ended="agent left")
        tell(mirror, port.SessionEvent(session))
    assert {"s1", "s2", "s3", "n99"} <= set(mirror.sessions)
    assert len(mirror.sessions) == 10
