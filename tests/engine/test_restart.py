"""One engine after another: limits, calls under way, and what the sessions get to know of it."""

from __future__ import annotations

import pytest

from mcpwall.engine.port import Lockdown
from mcpwall.engine.restore import LOST_S
from mcpwall.engine.views import session_row
from tests.engine.wall import (
    RULES,
    TOOLS,
    FakeClock,
    Talk,
    Wall,
    call,
    note,
    request,
    result,
    verdict,
)


@pytest.fixture
def after():
    """The engine after this one; all are let go of at the end."""
    made = []

    def start(wall, clock=None):
        made.append(wall.killed(clock))
        return made[-1]

    yield start
    for wall in made:
        wall.drop()


def resumed(wall, talk, *lines) -> Talk:
    """The session goes on; the new engine finds `lines` where the old one had read them."""
    talk = Talk(wall, after=talk)
    talk.recovers(*lines)
    return talk


# --- limits -------------------------------------------------------------------------------------


def left(wall) -> int:
    """How many of the two calls a minute a new session gets through."""
    talk = wall.session()
    talk.asks(*(call(number, "count") for number in range(3)))
    return len(talk.forwarded())


def test_p09_a_restart_refills_no_limit(wall, after):
    talk = wall.session()
    talk.asks(call(1, "count"))
    wall.clock.advance(30)
    second = after(wall)
    talk = second.session()
    talk.asks(call(1, "count"), call(2, "count"))
    assert [message["id"] for message in talk.forwarded()] == [1]
    assert verdict(talk.got()[0])["retryAfter"] == 30
    second.clock.advance(30)
    third = after(second)
    assert left(third) == 1  # the first one is out of its window, the second is not
    third.clock.advance(60)
    assert left(after(third)) == 2


@pytest.mark.parametrize("hours", [-48, -1, 1, 48])
def test_p09_a_clock_that_is_set_changes_no_limit_of_this_boot(wall, after, hours):
    assert left(wall) == 2
    wall.clock.set_wall(wall.clock.wall_ms() + hours * 3_600_000)
    assert left(wall) == 0
    second = after(wall)
    assert left(second) == 0
    second.clock.advance(59.9)
    assert left(second) == 0
    second.clock.advance(0.1)
    assert left(second) == 2


def test_p09_another_boot_counts_by_the_wall_clock(wall, after):
    assert left(wall) == 2
    booted = FakeClock("boot-2", steady_s=5)
    booted.set_wall(wall.clock.wall_ms() + 20_000)
    second = after(wall, booted)
    assert left(second) == 0
    booted.advance(39.9)
    assert left(second) == 0
    booted.advance(0.1)
    assert left(second) == 2


@pytest.mark.parametrize("hours", [1, 30])
def test_p09_another_boot_with_the_clock_set_back_frees_nothing(wall, after, hours):
    assert left(wall) == 2
    booted = FakeClock("boot-2", steady_s=5)
    booted.set_wall(wall.clock.wall_ms() - hours * 3_600_000)
    second = after(wall, booted)
    assert left(second) == 0
    booted.advance(59.9)
    assert left(second) == 0
    booted.advance(0.1)
    assert left(second) == 2


def test_p09_a_system_that_does_not_name_its_boots_counts_by_the_wall_clock(tmp_path, after):
    first = Wall(tmp_path, RULES, FakeClock(""))
    assert left(first) == 2
    unknown = FakeClock("", steady_s=5)
    unknown.set_wall(first.clock.wall_ms() + 20_000)
    second = after(first, unknown)
    assert left(second) == 0
    unknown.advance(40)
    assert left(second) == 2


def test_p09_a_released_call_counts_from_its_release_after_a_restart(tmp_path, after):
    rules = RULES + '\n[[rules]]\nid = "one"\ntool = "pay"\nrate_limit = "1/minute"\n'
    first = Wall(tmp_path, rules)
    talk = first.session()
    talk.asks(call(1, "pay"), call(2, "pay"))
    first.clock.advance(30)
    assert first.decide(first.held[0])
    assert [message["id"] for message in talk.forwarded()] == [1]
    second = after(first)
    talk = second.session()
    second.clock.advance(59)
    talk.asks(call(1, "pay"))
    assert verdict(talk.refusal())["retryAfter"] == 1


# --- calls under way ----------------------------------------------------------------------------


def test_a_forwarded_call_gets_its_real_answer(wall, after):
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.forwarded()
    second = after(wall)
    talk = resumed(second, talk)
    talk.answers(result(1, content=[], real=True))
    assert talk.got() == [result(1, content=[], real=True)]
    assert talk.forwarded() == []
    assert second.unfinished() == []
    second.clock.advance(LOST_S)
    assert talk.got() == []


def test_a_forwarded_call_without_an_answer_is_told_that_it_may_have_run(wall, after):
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.forwarded()
    second = after(wall)
    talk = resumed(second, talk)
    second.clock.advance(LOST_S - 0.1)
    assert talk.got() == []
    second.clock.advance(0.1)
    facts = verdict(talk.refusal())
    assert facts["cause"] == "fault"
    assert "it may have run" in facts["reason"]
    assert second.unfinished() == []
    talk.answers(result(1))  # at last, but the agent has an answer already
    assert talk.got() == []


def test_p08_a_held_call_is_refused_and_never_runs(wall, after):
    talk = wall.session()
    talk.asks(call(1, "pay"))
    shown = wall.held[0]
    second = after(wall)
    talk = resumed(second, talk)
    facts = verdict(talk.refusal())
    assert "it was not run" in facts["reason"]
    assert second.held == []
    second.decide(shown)
    assert talk.forwarded() == []
    assert second.recorded(shown.row.id).state == "refused"


def test_a_call_that_waited_for_the_list_is_told_that_it_did_not_run(wall, after):
    talk = Talk(wall)
    talk.greet()
    talk.asks(call(1, "look"))
    talk.forwarded()
    second = after(wall)
    talk = resumed(second, talk)
    (error,) = talk.got()
    assert error["id"] == 1
    assert "was not run" in error["error"]["message"]
    talk.asks(call(1, "look"))  # its id is free again
    assert talk.got() == []


def test_other_requests_under_way_get_their_answer(wall, after):
    talk = wall.session()
    talk.asks(request(1, "ping"))
    talk.answers(request("server-1", "roots/list"))
    talk.got()
    talk.forwarded()
    talk = resumed(after(wall), talk)
    talk.answers(result(1))
    talk.asks(result("server-1", roots=[]))
    assert talk.got() == [result(1)]
    assert talk.forwarded() == [result("server-1", roots=[])]


def test_p12_lines_that_were_read_twice_are_carried_out_once(wall, after):
    """The new engine reads again what the old one had not put away: it may have dealt with it."""
    talk = wall.session()
    lines = [call(1, "look"), call(2, "pay"), call(3, "wipe"), call(4, "look"), call(5, "count")]
    talk.asks(*lines)
    assert [message["id"] for message in talk.forwarded()] == [1, 4, 5]
    (refused,) = talk.got()
    talk.answers(result(4))
    assert talk.got() == [result(4)]
    second = after(wall)
    again = resumed(second, talk, *lines, call(6, "look"))
    (listing,) = again.forwarded()
    again.answers(result(listing["id"], tools=TOOLS))
    assert again.forwarded() == [call(6, "look")]
    told = {message["id"]: message for message in again.got()}
    assert set(told) == {2, 3}
    assert "was not run" in verdict(told[2])["reason"]
    assert told[3] == refused  # told again: it may not have gone
    assert [row.tool for row in second.rows()].count("wipe") == 1


def test_a_session_keeps_its_name_and_its_client(wall, after):
    talk = wall.session()
    before = session_row(talk.live)
    wall.clock.advance(5)
    row = session_row(resumed(after(wall), talk).live)
    assert (row.id, row.agent, row.client, row.protocol, row.since_ms) == (
        before.id,
        "claude-code#1",
        "claude-code",
        "2025-11-25",
        before.since_ms,
    )


def test_the_wall_lists_anew_before_it_judges_the_next_call(wall, after):
    talk = resumed(after(wall), wall.session())
    talk.asks(call(1, "look"))
    (listing,) = talk.forwarded()
    assert listing["method"] == "tools/list"


def test_calls_of_sessions_that_never_come_back_do_not_stay_open(wall, after):
    talk = wall.session()
    talk.asks(call(1, "look"), call(2, "pay"))
    second = after(wall)
    second.clock.advance(LOST_S)
    assert second.unfinished() == []
    assert {row.state for row in second.rows()} == {"lost", "withdrawn"}


def test_a_call_cancelled_before_the_restart_stays_so(wall, after):
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.asks(note("notifications/cancelled", {"requestId": 1}))
    talk.forwarded()
    second = after(wall)
    talk = resumed(second, talk)
    second.clock.advance(LOST_S)
    assert talk.got() == []


# --- lockdown -----------------------------------------------------------------------------------


def test_p05_a_lockdown_outlives_the_engine_until_a_person_lifts_it(wall, after):
    wall.do(Lockdown(True))
    second = after(wall)
    assert second.status.lockdown
    talk = second.session()
    talk.asks(call(1, "look"))
    assert verdict(talk.refusal())["cause"] == "lockdown"
    second.do(Lockdown(False))
    assert not after(second).status.lockdown


def test_a_new_engine_counts_the_calls_that_go_on_with_it(wall, after):
    talk = wall.session()
    talk.asks(call(1, "look"), call(2, "pay", {"to": "bob"}))
    second = after(wall)
    talk = resumed(second, talk)
    talk.answers(result(1))
    totals = second.engine.records.totals()
    assert (totals.calls, totals.allowed, totals.denied) == (2, 1, 1)
