"""Arguments that a person wrote: checked, run exactly so, and recorded beside the agent's."""

from __future__ import annotations

import json

import msgspec
import pytest

from mcpwall.engine.port import Done, Refused
from mcpwall.engine.port_answers import CheckEdit, Decide, EditChecked, Remember, Scope
from mcpwall.engine.port_calls import Details, State
from tests.engine.wall import RULES, call, note, request, result, tool

SCHEMA = {
    "amount": {"type": "number", "minimum": 1},
    "to": {"type": "string", "pattern": "^[a-z]+$"},
}
TOOLS = [tool("pay", **SCHEMA), tool("look")]
SENT = {"amount": 500, "to": "bob"}
WRITTEN = {"amount": 5, "to": "bob"}


def waiting(wall, arguments=SENT, tools=TOOLS):
    talk = wall.session(tools=tools)
    talk.asks(call(1, "pay", arguments))
    (held,) = wall.held
    return talk, held


def check(wall, held, arguments=WRITTEN, **wrong):
    quoted = {"call": held.row.id, "digest": held.digest, "revision": held.revision} | wrong
    return wall.do(CheckEdit(arguments=arguments, **quoted))


def allow(wall, held, edited, **more):
    return wall.do(Decide(held.row.id, held.digest, held.revision, True, edited=edited, **more))


def test_p02_the_edited_arguments_run_and_no_others(wall):
    talk, held = waiting(wall)
    checked = check(wall, held)
    assert isinstance(checked, EditChecked)
    assert checked.arguments == WRITTEN
    assert talk.forwarded() == []
    assert allow(wall, held, checked.digest) == Done("allowed")
    assert talk.forwarded() == [call(1, "pay", WRITTEN)]
    talk.answers(result(1))
    (row,) = wall.rows()
    assert row.edited
    assert row.digest == checked.digest
    assert json.loads(row.preview) == WRITTEN
    assert row.note == "edited and allowed by you"
    details = wall.do(Details(row.id))
    assert (details.arguments, details.original) == (WRITTEN, SENT)


def test_the_record_has_what_the_agent_sent_and_what_ran(wall):
    _, held = waiting(wall)
    checked = check(wall, held)
    allow(wall, held, checked.digest)
    recorded = wall.recorded(held.row.id)
    assert json.loads(recorded.arguments) == SENT
    assert json.loads(recorded.edited) == WRITTEN
    assert (recorded.digest, recorded.by) == (checked.digest, "person")
    assert recorded.size == len(recorded.edited)
    assert wall.audit.verify().problems == ()


def test_after_a_restart_the_row_is_still_the_edited_one(wall):
    talk, held = waiting(wall)
    allow(wall, held, check(wall, held).digest)
    talk.answers(result(1))
    after = wall.killed()
    (row,) = after.rows()
    assert row.edited
    assert json.loads(row.preview) == WRITTEN
    assert after.do(Details(row.id)).original == SENT
    after.drop()


@pytest.mark.parametrize("wrong", [{"digest": "0" * 64}, {"revision": 0}, {"call": 99}])
def test_p08_an_edit_of_something_else_is_not_taken(wall, wrong):
    _, held = waiting(wall)
    assert isinstance(check(wall, held, **wrong), Refused)


def test_p08_an_edit_that_was_not_checked_does_not_run(wall):
    talk, held = waiting(wall)
    assert isinstance(allow(wall, held, "0" * 64), Refused)
    assert talk.forwarded() == []
    assert wall.held == [held]


def test_p08_an_edit_checked_before_other_rules_does_not_run(wall):
    talk, held = waiting(wall)
    checked = check(wall, held)
    wall.edit(RULES + '\n[[rules]]\nid = "also"\ntool = "p*"\naction = "ask"\n')
    (again,) = wall.held
    assert isinstance(allow(wall, held, checked.digest), Refused)
    assert isinstance(allow(wall, again, checked.digest), Refused)
    assert talk.forwarded() == []


def test_p08_an_edit_runs_once(wall):
    talk, held = waiting(wall)
    checked = check(wall, held)
    assert isinstance(allow(wall, held, checked.digest), Done)
    assert isinstance(allow(wall, held, checked.digest), Refused)
    assert len(talk.forwarded()) == 1


def test_what_does_not_fit_the_schema_is_named_and_nothing_moves(wall):
    talk, held = waiting(wall)
    refused = check(wall, held, {"amount": 0, "to": "Bob 2"})
    assert isinstance(refused, Refused)
    assert refused.text.splitlines() == [
        "amount: 0 is less than the minimum of 1",
        "to: 'Bob 2' does not match '^[a-z]+$'",
    ]
    assert wall.held == [held]
    assert talk.got() == []


def test_an_edit_is_taken_as_strictly_as_an_agents_message(wall):
    _, held = waiting(wall)
    for arguments in ({"Amount": 5, "to": "bob"}, {"amount": 5, "n": _nested(120)}):
        assert isinstance(check(wall, held, arguments), Refused)
    assert isinstance(check(wall, held, SENT), Refused)  # nothing is edited


def _nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def test_a_rule_that_denies_the_edited_call_stops_it_and_it_waits_on(wall_with):
    rules = RULES + '\n[[rules]]\nid = "no-eve"\ntool = "pay"\n'
    wall = wall_with(rules + 'when = { to = "eve" }\naction = "deny"\n')
    talk, held = waiting(wall)
    refused = check(wall, held, {"amount": 5, "to": "eve"})
    assert isinstance(refused, Refused)
    assert "no-eve" in refused.text
    assert wall.held == [held]
    assert wall.decide(held) == Done("allowed")
    assert talk.forwarded() == [call(1, "pay", SENT)]


def test_a_limit_is_booked_with_the_edited_amount(wall_with):
    budget = '\n[[rules]]\nid = "purse"\ntool = "pay"\n'
    wall = wall_with(RULES + budget + 'budget = { sum = "amount", max = 600, window = "1d" }\n')
    talk = wall.session(tools=TOOLS)
    talk.asks(call(1, "pay", SENT), call(2, "pay", {"amount": 590, "to": "al"}))
    first, second = wall.held
    assert isinstance(allow(wall, first, check(wall, first).digest), Done)
    assert wall.decide(second) == Done("allowed")
    assert [message["id"] for message in talk.forwarded()] == [1, 2]


def test_a_limit_used_up_since_the_check_stops_the_edit_and_it_waits_on(wall_with):
    wall = wall_with(RULES + '\n[[rules]]\nid = "few"\ntool = "pay"\nrate_limit = "1/minute"\n')
    talk = wall.session(tools=TOOLS)
    talk.asks(call(1, "pay", SENT), call(2, "pay", SENT))
    first, second = wall.held
    checked = check(wall, second)
    wall.decide(first)
    talk.forwarded()
    refused = allow(wall, second, checked.digest)
    assert isinstance(refused, Refused)
    assert "few" in refused.text
    assert talk.forwarded() == []
    assert [held.row.id for held in wall.held] == [second.row.id]


def test_an_edit_is_allowed_once_and_never_remembered(wall):
    talk, held = waiting(wall)
    checked = check(wall, held)
    always = Remember(Scope.SESSION)
    assert isinstance(allow(wall, held, checked.digest, remember=always), Refused)
    assert talk.forwarded() == []
    assert wall.engine.answers.list() == ()


def test_p01_an_edit_that_cannot_be_recorded_does_not_run(wall):
    talk, held = waiting(wall)
    checked = check(wall, held)
    wall.disk.fill()
    assert isinstance(allow(wall, held, checked.digest), Refused)
    assert talk.forwarded() == []
    wall.disk.free()
    wall.clock.advance(2)
    recorded = wall.recorded(held.row.id)
    assert recorded.edited is None
    assert recorded.digest == held.digest
    (row,) = wall.rows()
    assert (row.state, row.edited) == (State.REFUSED, False)
    assert json.loads(row.preview) == SENT


def test_only_a_listed_tools_arguments_are_edited(wall_with):
    wall = wall_with(RULES + '\n[[rules]]\nid = "p"\nmethod = "prompts/get"\naction = "ask"\n')
    talk = wall.session()
    talk.asks(request(1, "prompts/get", {"name": "x"}))
    (held,) = wall.held
    assert isinstance(check(wall, held, {"name": "y"}), Refused)


def test_a_schema_that_cannot_be_checked_takes_no_edit(wall):
    backtracking = {"to": {"type": "string", "pattern": "(?=x)(a+)+$"}}
    _, held = waiting(wall, tools=[tool("pay", **backtracking)])
    refused = check(wall, held)
    assert isinstance(refused, Refused)
    assert "cannot be checked" in refused.text
    assert wall.decide(held) == Done("allowed")


def test_a_call_that_was_cancelled_meanwhile_takes_no_edit(wall):
    talk, held = waiting(wall)
    checked = check(wall, held)
    talk.asks(note("notifications/cancelled", {"requestId": 1}))
    assert isinstance(check(wall, held), Refused)
    assert isinstance(allow(wall, held, checked.digest), Refused)
    assert talk.forwarded() == []


def test_other_fields_of_the_message_pass_as_they_came(wall):
    talk = wall.session(tools=TOOLS)
    message = call(1, "pay", SENT, progressToken="t", mine=[1])
    talk.asks(message)
    (held,) = wall.held
    allow(wall, held, check(wall, held).digest)
    expected = msgspec.json.decode(msgspec.json.encode(message))
    expected["params"]["arguments"] = WRITTEN
    assert talk.forwarded() == [expected]
