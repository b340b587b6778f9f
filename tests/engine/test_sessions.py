"""One session at a person's order: paused, let on, cut off."""

from __future__ import annotations

from mcpwall.engine.port import Done, Lockdown, Ping, Refused
from mcpwall.engine.port_sessions import CutSession, PauseSession
from mcpwall.engine.views import session_row
from mcpwall.transport.journal import STATE
from tests.engine.wall import TOOLS, Talk, call, request, result, text, verdict


def pause(wall, talk, *, on=True):
    return wall.do(PauseSession(talk.live.id, on))


def test_an_engine_gives_a_sign_of_life(wall):
    assert wall.do(Ping()) == Done()


def test_a_paused_session_calls_no_tool_and_others_go_on(wall):
    talk, other = wall.session(), wall.session(server="mail")
    assert isinstance(pause(wall, talk), Done)
    talk.asks(call(1, "look"), request(2, "ping"))
    assert [message["id"] for message in talk.forwarded()] == [2]
    (refusal,) = talk.got()
    assert verdict(refusal)["cause"] == "paused"
    assert "paused this session" in text(refusal)
    other.asks(call(1, "look"))
    assert len(other.forwarded()) == 1
    assert session_row(talk.live).paused
    pause(wall, talk, on=False)
    talk.asks(call(3, "look"))
    assert [message["id"] for message in talk.forwarded()] == [3]


def test_what_waits_is_refused_when_its_session_is_paused(wall):
    talk = wall.session()
    talk.asks(call(1, "pay"))
    pause(wall, talk)
    assert "paused" in text(talk.refusal())
    assert wall.held == []
    assert wall.rows()[-1].note == "denied by the pause of its session"


def test_who_is_refused_by_a_pause_reads_of_a_lockdown_too(wall):
    talk = wall.session()
    pause(wall, talk)
    wall.do(Lockdown(on=True))
    talk.asks(call(1, "look"))
    told = text(talk.refusal())
    assert "paused this session" in told
    assert "locked down too" in told
    pause(wall, talk, on=False)
    talk.asks(call(2, "look"))
    assert "locked down: no tool" in text(talk.refusal())


def test_a_call_that_was_forwarded_still_gets_its_answer(wall):
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.forwarded()
    pause(wall, talk)
    talk.answers(result(1))
    assert talk.got() == [result(1)]


def test_a_pause_outlives_the_engine(wall):
    talk = wall.session()
    pause(wall, talk)
    after = wall.killed()
    again = Talk(after, after=talk)
    again.asks(request("l", "tools/list"))
    again.answers(result("l", tools=TOOLS))
    again.got()
    again.forwarded()
    again.asks(call(1, "look"))
    assert "paused" in text(again.refusal())
    assert session_row(again.live).paused
    after.drop()


def test_a_session_that_is_cut_off_is_over(wall):
    talk = wall.session()
    talk.asks(call(1, "look"))
    assert isinstance(wall.do(CutSession(talk.live.id)), Done)
    assert talk.live.ended == "the user cut this session off"
    assert wall.engine.sessions == {}
    assert isinstance(wall.do(CutSession(talk.live.id)), Refused)
    assert isinstance(pause(wall, talk), Refused)


def test_p13_a_pause_outlives_the_engine_whatever_else_is_under_way(wall):
    talk = wall.session()
    for number in range(200):  # nobody answers these
        talk.answers(request(f"{number}" + "\x01" * 1_000, "odd/question"))
        talk.asks(request(f"{number}" + "é" * 1_000, "ping"))
    pause(wall, talk)
    assert len(talk.wire.memory) < STATE - 8
    assert session_row(Talk(wall.killed(), after=talk).live).paused
