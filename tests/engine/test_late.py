"""An answer after the agent's time was up: kept for the very same call, once, for a while."""

from __future__ import annotations

import msgspec
import pytest

from mcpwall.engine.late import LATE_S
from mcpwall.engine.port import Done, Lockdown, Refused
from mcpwall.engine.port_answers import CheckEdit, Decide, Remember, Scope
from mcpwall.engine.port_calls import State
from mcpwall.engine.port_tools import AcceptTool
from tests.engine.wall import RULES, TOOLS, call, note, request, result, text, tool, verdict

PAY = {"amount": 5, "to": "bob"}


def too_late(wall, arguments=PAY):
    """A session whose call nobody answered in time, as the person still sees it."""
    talk = wall.session()
    talk.asks(call(1, "pay", arguments))
    run_out(wall)
    talk.got()
    (held,) = wall.held
    return talk, held


def run_out(wall):
    """Let the time of the newest waiting call pass."""
    held = max(wall.held, key=lambda held: held.row.id)
    wall.clock.advance((held.deadline_ms - held.since_ms) / 1000)


def test_a_call_whose_time_is_up_can_still_be_looked_at(wall):
    talk, held = too_late(wall)
    assert held.late
    assert held.arguments == PAY
    assert held.row.state is State.REFUSED
    assert held.why[0].startswith("Its time is up")
    assert held.deadline_ms == wall.clock.wall_ms() + LATE_S * 1000
    assert wall.rows()[-1].verdict.cause == "unattended"
    wall.clock.advance(LATE_S)
    assert wall.held == []
    assert talk.forwarded() == []


def test_p08_allowed_late_the_same_call_runs_once_when_it_is_made_again(wall):
    talk, held = too_late(wall)
    assert isinstance(wall.decide(held), Done)
    assert talk.forwarded() == []  # nothing runs by itself
    assert wall.held == []
    talk.asks(call(2, "pay", {"to": "bob", "amount": 5}), call(3, "pay", PAY))
    assert [message["id"] for message in talk.forwarded()] == [2]
    assert [held.row.id for held in wall.held] == [3]
    ran = wall.rows()[1]
    assert (ran.verdict.cause, ran.note) == ("person", "approved by you after the time of call 1")


@pytest.mark.parametrize(
    "other",
    [
        call(2, "pay", {"amount": 6, "to": "bob"}),
        call(2, "pay", {"amount": 5, "to": "bob", "x": 1}),
        request(2, "prompts/get", {"name": "pay"}),
    ],
)
def test_p08_no_other_call_runs_on_it(wall_with, other):
    wall = wall_with(RULES + '\n[[rules]]\nid = "p"\nmethod = "prompts/get"\naction = "ask"\n')
    talk, held = too_late(wall)
    wall.decide(held)
    talk.asks(other)
    assert talk.forwarded() == []
    assert len(wall.held) == 1


@pytest.mark.parametrize(
    "beside",
    [
        {"task": {"ttl": 60}},
        {"inputResponses": {"a": {"action": "accept"}}},
        {"_meta": {"com.example/sudo": True}},
    ],
)
def test_p08_what_is_sent_beside_the_arguments_is_part_of_the_call(wall, beside):
    talk, held = too_late(wall)
    wall.decide(held)
    other = call(2, "pay", PAY)
    other["params"].update(beside)
    talk.asks(other)
    assert talk.forwarded() == []
    (held,) = wall.held
    assert any(next(iter(beside)) in flag for flag in held.flags)


def test_an_id_that_every_call_has_anew_is_no_part_of_it(wall):
    talk, held = too_late(wall)
    wall.decide(held)
    meta = {"progressToken": 7, "claudecode/toolUseId": "t2", "traceparent": "00-1-2-01"}
    again = call(2, "pay", PAY, **meta)
    talk.asks(again)
    assert talk.forwarded() == [again]


def test_p08_no_other_client_runs_on_it(wall):
    _, held = too_late(wall)
    wall.decide(held)
    other = wall.session(client="codex")
    other.asks(call(1, "pay", PAY))
    assert other.forwarded() == []


def test_p08_it_is_void_after_a_while(wall):
    talk, held = too_late(wall)
    wall.decide(held)
    wall.clock.advance(LATE_S)
    talk.asks(call(2, "pay", PAY))
    assert talk.forwarded() == []


def test_p08_it_is_void_under_other_rules(wall):
    talk, held = too_late(wall)
    wall.decide(held)
    wall.edit(RULES + '\n[[rules]]\nid = "also"\ntool = "p*"\naction = "ask"\n')
    talk.asks(call(2, "pay", PAY))
    assert talk.forwarded() == []


def test_p08_it_answers_no_rule_that_did_not_ask_then(wall_with):
    wall = wall_with(
        RULES
        + '\n[[rules]]\nid = "after"\ntool = "pay"\nafter = { tool = "look" }\naction = "ask"\n'
    )
    talk, held = too_late(wall)
    assert isinstance(wall.decide(held), Done)
    talk.asks(call(2, "look"))
    talk.forwarded()
    talk.asks(call(3, "pay", PAY))
    assert talk.forwarded() == []
    (held,) = wall.held
    assert "after" in held.row.verdict.rules


def test_p08_what_was_shown_under_other_rules_is_not_answered(wall):
    _, held = too_late(wall)
    wall.edit(RULES + '\n[[rules]]\nid = "also"\ntool = "p*"\naction = "ask"\n')
    assert wall.held == []
    assert isinstance(wall.decide(held), Refused)


def test_p08_it_is_void_when_the_definition_of_the_tool_changed(wall):
    talk, held = too_late(wall)
    wall.decide(held)
    talk.answers(note("notifications/tools/list_changed"))
    talk.asks(call(2, "pay", PAY))
    (listing,) = talk.forwarded()
    talk.answers(result(listing["id"], tools=[tool("pay", amount={}, to={}, memo={})]))
    assert [m for m in talk.forwarded() if m.get("method") == "tools/call"] == []


def test_a_deny_and_a_lockdown_still_hold(wall):
    talk, held = too_late(wall)
    wall.decide(held)
    wall.do(Lockdown(on=True))
    talk.asks(call(2, "pay", PAY))
    assert verdict(talk.refusal())["cause"] == "lockdown"
    wall.do(Lockdown(on=False))
    talk.asks(call(3, "pay", PAY))
    assert [message["id"] for message in talk.forwarded()] == [3]


@pytest.mark.parametrize("wrong", ["digest", "revision"])
def test_p08_a_late_answer_to_something_else_is_refused(wall, wrong):
    talk, held = too_late(wall)
    quoted = {"digest": held.digest, "revision": held.revision}
    quoted[wrong] = "0" * 64 if wrong == "digest" else held.revision + 1
    assert isinstance(wall.do(Decide(held.row.id, allow=True, **quoted)), Refused)
    talk.asks(call(2, "pay", PAY))
    assert talk.forwarded() == []


def test_denied_late_it_is_gone(wall):
    talk, held = too_late(wall)
    assert isinstance(wall.decide(held, allow=False), Done)
    assert wall.held == []
    talk.asks(call(2, "pay", PAY))
    assert talk.forwarded() == []


def test_it_is_neither_edited_nor_remembered(wall):
    _, held = too_late(wall)
    assert isinstance(wall.decide(held, remember=Remember(Scope.SESSION)), Refused)
    edit = CheckEdit(held.row.id, held.digest, held.revision, {"amount": 1})
    assert isinstance(wall.do(edit), Refused)
    assert wall.held == [held]


def test_it_goes_with_its_session(wall):
    talk, _ = too_late(wall)
    talk.live.end("the agent closed its end")
    assert wall.held == []


def test_the_agent_is_told_to_make_the_same_call_again(wall):
    talk = wall.session()
    talk.asks(call(1, "pay", PAY))
    run_out(wall)
    assert "exactly the same call again" in text(talk.refusal())


def test_p13_not_more_is_kept_than_an_app_can_be_shown(wall_with):
    wall = wall_with(RULES + '\n[agents."claude-code"]\nhold = "3s"\n')
    talk = wall.session()
    for number in range(6):
        talk.asks(call(number, "pay", {"to": "x" * 1_000_000}))
        wall.clock.advance(3)
    assert len(wall.held) == 4
    batch = wall.engine.feed.since(wall.engine.feed.first)
    assert len(msgspec.json.encode(batch)) < 4_200_000


def test_p08_a_key_pressed_just_before_the_time_was_up_allows_nothing(wall):
    talk = wall.session()
    talk.asks(call(1, "pay", PAY))
    (before,) = wall.held
    run_out(wall)
    assert isinstance(wall.decide(before), Refused)
    talk.asks(call(2, "pay", PAY))
    assert talk.forwarded() == []


def change(talk, name, **fields):
    """The server lists a tool otherwise, and a person accepts that."""
    tools = [{**each, **fields} if each["name"] == name else each for each in TOOLS]
    talk.asks(request("again", "tools/list"))
    talk.answers(result("again", tools=tools))
    talk.got()
    talk.forwarded()
    wall = talk.live.engine.inventory.servers["notes"]
    return AcceptTool("notes", name, wall.entries[name].listed)


@pytest.mark.parametrize("name", ["pay", "look"])
def test_p07_a_late_answer_dies_with_its_own_tools_definition_alone(wall, name):
    talk, held = too_late(wall)
    wall.decide(held)
    wall.do(change(talk, name, **{"x-unknown": 1}))
    talk.asks(call(2, "pay", PAY))
    assert [message["id"] for message in talk.forwarded()] == ([] if name == "pay" else [2])


@pytest.mark.parametrize("name", ["pay", "look"])
def test_p07_what_can_be_answered_late_is_void_when_its_tool_changes(wall, name):
    talk, held = too_late(wall)
    change(talk, name, title="Other")
    assert (wall.held == []) is (name == "pay")
    assert isinstance(wall.decide(held), Refused if name == "pay" else Done)
