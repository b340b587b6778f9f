"""All that an app may know of one call, and for how long."""

from __future__ import annotations

import json

import pytest

from mcpwall.engine.port import Refused
from mcpwall.engine.port_calls import CallDetails, Details, Search, State
from tests.engine.wall import call, result


def details(wall) -> CallDetails:
    return wall.do(Details(wall.rows()[-1].id))


def test_a_calls_arguments_answer_and_tool(wall):
    talk = wall.session()
    talk.asks(call(1, "pay", {"to": "bob"}))
    waiting = details(wall)
    assert (waiting.arguments, waiting.answer, waiting.tool.name) == ({"to": "bob"}, "", "pay")
    wall.decide(wall.held[0])
    answer = result(1, content=[{"type": "text", "text": "paid"}])
    talk.answers(answer)
    told = details(wall)
    assert told.row.state is State.DONE
    assert "paid" in told.answer
    assert (told.answer_size, told.answer_left) == (len(json.dumps(answer)), 0)


def test_a_long_answer_says_how_much_of_it_was_not_kept(wall):
    talk = wall.session()
    talk.asks(call(1, "look"))
    answer = result(1, content=[{"type": "text", "text": "x" * 10_000}])
    talk.answers(answer)
    told = details(wall)
    assert told.answer_left == len(json.dumps(answer)) - len(told.answer) > 0


def test_a_refused_call_has_the_walls_own_words(wall):
    talk = wall.session()
    talk.asks(call(1, "wipe"))
    assert "Denied by rule never: it is for ever." in details(wall).answer


def test_large_arguments_are_whole_while_they_wait_and_an_excerpt_afterwards(wall):
    talk = wall.session()
    talk.asks(call(1, "pay", {"to": "x" * 50_000}))
    assert details(wall).arguments == {"to": "x" * 50_000}
    wall.decide(wall.held[0])
    talk.answers(result(1))
    told = details(wall)
    assert told.arguments is None
    assert told.excerpt == '{"to":"' + "x" * (len(told.excerpt) - 7)
    assert told.row.size == 50_009


def test_a_table_shows_the_short_arguments_of_a_large_call_first_and_goes_on_to(wall):
    talk = wall.session()
    talk.asks(call(1, "pay", {"memo": "x" * 50_000, "to": "bob"}))
    waiting = wall.rows()[-1].preview
    wall.decide(wall.held[0])
    talk.answers(result(1))
    over = wall.rows()[-1]
    assert over.preview == waiting == '{"to":"bob","memo":"' + "x" * 580
    assert over.state is State.DONE


def test_a_call_of_before_the_engine_is_known_too(wall):
    talk = wall.session()
    talk.asks(call(1, "look", {"at": "moon"}))
    talk.answers(result(1))
    after = wall.killed()
    told = after.do(Details(1))
    assert (told.arguments, told.answer, told.tool) == ({"at": "moon"}, "", None)
    assert isinstance(after.do(Details(99)), Refused)
    after.drop()


@pytest.mark.parametrize("number", [0, -1, 10**25, -(10**25)])
def test_a_number_that_no_call_has_is_no_fault(wall, number):
    assert isinstance(wall.do(Details(number)), Refused)
    assert wall.do(Search("", number)).rows == ()
