"""What is said of a server as a whole: since when it is up, how it ended, what came again."""

from __future__ import annotations

import pytest

from mcpwall.engine import views
from mcpwall.engine.life import RESTARTS_MAX, Life
from mcpwall.engine.port_servers import Ending
from mcpwall.engine.port_tools import ServerRow
from tests.engine.wall import Talk, Wall

WHY = "the server exited with code 1"


def begin(life: Life, session: str, at_ms: int, agent_pid: int = 7) -> None:
    life.began(session, agent_pid, at_ms, fresh=True)


def fall(life: Life, session: str, at_ms: int, code: int = 1) -> None:
    """The server of a session ends by itself."""
    life.exited(session, code, told=False)
    life.ended(session, "agent#1", WHY, at_ms)


def test_a_server_is_up_since_the_oldest_session_that_lives_began() -> None:
    life = Life()
    assert life.shown().up_ms == 0
    begin(life, "a", 10)
    begin(life, "b", 20)
    assert life.shown().up_ms == 10
    life.ended("a", "agent#1", "the agent closed its end", 30)
    assert life.shown().up_ms == 20
    life.ended("b", "agent#1", "the agent closed its end", 40)
    assert life.shown().up_ms == 0


def test_a_session_that_goes_on_under_another_engine_is_up_since_it_began() -> None:
    life = Life()
    life.began("a", 7, 10, fresh=False)
    assert life.shown().up_ms == 10


def test_how_the_last_session_ended_and_the_last_that_ended_by_itself() -> None:
    life = Life()
    begin(life, "a", 10)
    fall(life, "a", 20, 137)
    fell = Ending(20, "agent#1", WHY, 137, itself=True)
    assert (life.shown().ended, life.shown().fell) == (fell, fell)
    begin(life, "b", 30)
    life.exited("b", 0, told=True)
    life.ended("b", "agent#1", "the agent closed its end", 40)
    assert life.shown().ended == Ending(40, "agent#1", "the agent closed its end", 0)
    assert life.shown().fell == fell


def test_a_restart_is_the_next_session_of_the_agent_whose_server_ended_by_itself() -> None:
    life = Life()
    begin(life, "a", 10)
    begin(life, "b", 11, agent_pid=8)
    fall(life, "a", 20)
    begin(life, "c", 25, agent_pid=8)  # another agent's
    assert life.shown().restarts == ()
    begin(life, "d", 30)
    begin(life, "e", 31)  # one more of the same agent, and nothing had ended since
    assert life.shown().restarts == (30,)
    fall(life, "d", 40)
    assert life.shown().restarts == (30,)
    begin(life, "f", 50)
    assert life.shown().restarts == (30, 50)


def test_what_was_told_to_end_is_not_started_once_more_but_anew() -> None:
    life = Life()
    begin(life, "a", 10)
    life.exited("a", 143, told=True)
    life.ended("a", "agent#1", "the agent closed its end", 20)
    begin(life, "b", 30)
    life.ended("b", "agent#1", "the user cut this session off", 40)
    life.exited("b", 143, told=False)  # later than the order to end
    begin(life, "c", 50)
    assert life.shown().restarts == ()
    assert life.shown().fell is None


def test_p13_restarts_without_end_take_no_more_room() -> None:
    life = Life()
    for number in range(RESTARTS_MAX * 20):
        begin(life, str(number), number, agent_pid=number % 2_000)
        fall(life, str(number), number)
    for number in range(2_000):
        begin(life, f"again {number}", number, agent_pid=number)
    assert len(life.shown().restarts) == RESTARTS_MAX


def test_a_remote_server_is_in_trouble_until_it_answers() -> None:
    life = Life()
    assert life.reached("cannot be reached", 10)
    assert life.reached("answered with HTTP 500", 20)
    assert not life.reached("answered with HTTP 500", 30)
    shown = life.shown()
    assert (shown.trouble, shown.trouble_ms) == ("answered with HTTP 500", 10)
    assert life.reached("", 40)
    assert not life.reached("", 50)
    assert life.shown().answered_ms == 50
    assert life.shown().trouble_ms == 0
    assert life.reached("cannot be reached", 60)
    assert life.shown().trouble_ms == 60


# --- in an engine -------------------------------------------------------------------------------


def row(wall: Wall, server: str = "notes") -> ServerRow:
    servers = views.snapshot(wall.engine).servers
    return next(each for each in servers if each.name == server)


@pytest.mark.parametrize("why", ["the agent closed its end", "the server exited with code 0"])
def test_an_app_sees_when_a_server_went(wall: Wall, why: str) -> None:
    talk = wall.session()
    assert row(wall).life.up_ms == talk.live.since_ms
    wall.clock.advance(5)
    talk.live.end(why)
    life = row(wall).life
    assert life.up_ms == 0
    assert life.ended == Ending(wall.clock.wall_ms(), talk.live.agent, why)


def test_what_goes_on_under_another_engine_is_up_as_long_as_before(wall: Wall) -> None:
    talk = wall.session()
    after = wall.killed()
    after.clock.advance(60)
    Talk(after, after=talk)
    assert row(after).life.up_ms == talk.live.since_ms
    assert row(after).life.restarts == ()
    after.drop()


def test_an_app_is_told_of_a_remote_server_in_trouble_and_of_none_that_is_unknown(
    wall: Wall,
) -> None:
    wall.session()
    wall.engine.reached("notes", "it cannot be reached")
    wall.engine.reached("nobody", "it cannot be reached")
    assert row(wall).life.trouble == "it cannot be reached"
