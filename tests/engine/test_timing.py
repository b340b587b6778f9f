"""Where a call's time went: each stage told only if it was gone through and is known."""

from __future__ import annotations

import pytest

from mcpwall.engine import restore, views
from mcpwall.engine.port_timing import Timing
from tests.engine.wall import RULES, FakeClock, Talk, Wall, call, note, result

TICK_US = 10


class TickingClock(FakeClock):
    """A clock on which each reading takes ten microseconds."""

    def steady_ns(self) -> int:
        self._steady_ns += TICK_US * 1000
        return self._steady_ns


@pytest.fixture
def ticking(tmp_path) -> Wall:
    return Wall(tmp_path, RULES, TickingClock())


def of(wall: Wall, number: int) -> Timing:
    return views.details(wall.engine, number).timing


def from_audit(wall: Wall, number: int) -> Timing:
    wall.engine.recorder.file()
    return restore.as_record(wall.audit.get(number)).timing()


def close(told: int | None, us: float) -> bool:
    """As long as that, but for some readings of the clock."""
    return told is not None and us <= told <= us + 20 * TICK_US


def test_an_allowed_call_was_judged_sent_and_at_its_server(ticking):
    talk = ticking.session()
    talk.asks(call(1, "look"))
    number = ticking.engine.last_call
    told = of(ticking, number)
    assert close(told.judged_us, TICK_US)
    assert close(told.sent_us, TICK_US)
    assert (told.waited_us, told.server_us) == (None, None)
    ticking.clock.advance(0.038)
    talk.answers(result(1))
    assert close(of(ticking, number).server_us, 38_000)
    later = from_audit(ticking, number)
    assert later.judged_us == told.judged_us
    assert later.server_us == of(ticking, number).server_us
    assert (later.waited_us, later.sent_us) == (None, None)


def test_a_call_that_a_person_allowed_waited_for_that(ticking):
    talk = ticking.session()
    talk.asks(call(1, "pay", {"amount": 5, "to": "bob"}))
    (held,) = ticking.held
    number = held.row.id
    assert of(ticking, number).waited_us is None  # it still does
    ticking.clock.advance(12)
    ticking.decide(held)
    told = of(ticking, number)
    assert close(told.waited_us, 12_000_000)
    assert close(told.sent_us, TICK_US)
    assert told.judged_us < 1_000
    ticking.clock.advance(2)
    talk.answers(result(1))
    assert close(of(ticking, number).server_us, 2_000_000)
    assert from_audit(ticking, number).waited_us == told.waited_us


def test_a_refused_call_never_was_at_a_server(ticking):
    talk = ticking.session()
    talk.asks(call(1, "wipe"))
    told = of(ticking, ticking.engine.last_call)
    assert close(told.judged_us, TICK_US)
    assert (told.waited_us, told.sent_us, told.server_us) == (None, None, None)


def test_a_call_that_was_cancelled_waited_until_then(ticking):
    talk = ticking.session()
    talk.asks(call(1, "pay", {"amount": 5, "to": "bob"}))
    number = ticking.engine.last_call
    ticking.clock.advance(3)
    talk.asks(note("notifications/cancelled", {"requestId": 1}))
    told = of(ticking, number)
    assert close(told.waited_us, 3_000_000)
    assert (told.sent_us, told.server_us) == (None, None)


def test_of_a_call_that_waited_while_the_machine_was_booted_anew_no_wait_is_told(ticking):
    talk = ticking.session()
    talk.asks(call(1, "pay", {"amount": 5, "to": "bob"}))
    number = ticking.engine.last_call
    after = ticking.killed(TickingClock("boot-2", 5_000))
    after.clock.advance(60)  # its session has not come back: the call is withdrawn
    assert from_audit(after, number).waited_us is None


@pytest.mark.parametrize("waited_s", [0, 12])
def test_a_call_that_outlived_its_engine_was_at_its_server_from_before_it_died(ticking, waited_s):
    talk = ticking.session()
    talk.asks(call(1, "pay" if waited_s else "look", {"amount": 5, "to": "bob"}))
    number = ticking.engine.last_call
    if waited_s:
        ticking.clock.advance(waited_s)
        ticking.decide(ticking.held[0])
    ticking.clock.advance(30)
    after = ticking.killed(ticking.clock)
    again = Talk(after, after=talk)
    after.clock.advance(5)
    again.answers(result(1))
    told = of(after, number)
    assert abs(told.server_us - 35_000_000) < 20_000  # by the wall's clock, which has milliseconds
    assert (told.waited_us or 0) // 1_000_000 == waited_s
    assert told.sent_us is None
    after.drop()
