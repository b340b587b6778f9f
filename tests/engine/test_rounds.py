"""A call of the stateless era waits longer than its agent does: it is told to come back."""

from __future__ import annotations

import pytest

from mcpwall.engine.port import Done
from mcpwall.engine.port_answers import Decide
from mcpwall.engine.port_calls import State
from mcpwall.engine.rounds import RETURN_S, ROUNDS_MAX
from tests.engine.wall import RULES, call, result, verdict

PAY = {"amount": 5, "to": "bob"}
PATIENT = RULES.replace("[defaults]\n", '[defaults]\nhold = "3m"\n')
ROUND_S = 50.0  # the agent is no one that the wall knows


@pytest.fixture
def wall(wall_with):
    return wall_with(PATIENT)


def pay(number, state=None, arguments=PAY, client="newcomer"):
    """A call of the stateless era; `state` is what it was told to come back with."""
    message = call(number, "pay", arguments)
    message["params"]["_meta"] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": client, "version": "1"},
    }
    if state is not None:
        message["params"]["requestState"] = state
    return message


def begin(wall, **options):
    """A session whose first call waits."""
    talk = wall.session(client="newcomer")
    talk.asks(pay(1, **options))
    return talk


def told_to_come_back(talk):
    """The state with which the agent is to make its call again."""
    (message,) = talk.got()
    assert message["result"].keys() == {"resultType", "requestState"}
    assert message["result"]["resultType"] == "input_required"
    return message["result"]["requestState"]


def comes_back(wall, talk, number):
    wall.clock.advance(ROUND_S)
    talk.asks(pay(number, told_to_come_back(talk)))


def test_a_call_comes_back_until_the_person_has_had_their_time(wall):
    talk = begin(wall)
    for number in (2, 3, 4):
        comes_back(wall, talk, number)
        (held,) = wall.held
        assert held.row.id == number
        assert not held.late
    wall.clock.advance(30.0)
    refusal = talk.refusal()
    assert refusal["id"] == 4
    assert verdict(refusal)["cause"] == "unattended"
    assert "nobody answered within 3m" in refusal["result"]["content"][0]["text"]
    assert [row.state for row in wall.rows()] == [State.WITHDRAWN] * 3 + [State.REFUSED]


def test_one_allowed_in_a_later_round_goes_without_the_walls_state(wall):
    talk = begin(wall)
    comes_back(wall, talk, 2)
    assert isinstance(wall.decide(*wall.held), Done)
    (sent,) = talk.forwarded()
    assert sent == pay(2)
    talk.answers(result(2))
    assert talk.got() == [result(2)]


def test_a_state_of_the_servers_own_is_put_back(wall):
    talk = begin(wall, state="the server's")
    comes_back(wall, talk, 2)
    comes_back(wall, talk, 3)
    wall.decide(*wall.held)
    assert talk.forwarded() == [pay(3, "the server's")]


def test_answers_for_the_server_are_put_back_too(wall):
    talk = wall.session(client="newcomer")
    answers = {"a": {"action": "accept"}}
    first = pay(1, "the server's")
    first["params"]["inputResponses"] = answers
    talk.asks(first)
    comes_back(wall, talk, 2)
    wall.decide(*wall.held)
    (sent,) = talk.forwarded()
    assert sent["params"]["requestState"] == "the server's"
    assert sent["params"]["inputResponses"] == answers


def test_p08_a_state_is_for_what_is_sent_beside_the_arguments_too(wall):
    talk = begin(wall)
    wall.clock.advance(ROUND_S)
    back = pay(2, told_to_come_back(talk))
    back["params"]["inputResponses"] = {"a": {"action": "accept"}}
    talk.asks(back)
    assert verdict(talk.refusal())["cause"] == "fault"


@pytest.mark.parametrize("state", [None, "the server's"])
def test_another_request_comes_back_as_a_call_does(wall_with, state):
    wall = wall_with(PATIENT + '[[rules]]\nid = "p"\nmethod = "prompts/get"\naction = "ask"\n')

    def prompt(number, state):
        message = pay(number, state, None)
        del message["params"]["arguments"]
        return {**message, "method": "prompts/get"}

    talk = wall.session(client="newcomer")
    talk.asks(prompt(1, state))
    wall.clock.advance(ROUND_S)
    talk.asks(prompt(2, told_to_come_back(talk)))
    wall.decide(*wall.held)
    assert talk.forwarded() == [prompt(2, state)]


def test_p08_allowed_between_two_rounds_it_runs_once_when_it_comes_back(wall):
    talk = begin(wall)
    wall.clock.advance(ROUND_S)
    state = told_to_come_back(talk)
    (held,) = wall.held
    assert held.late
    assert "comes back" in held.why[0]
    assert isinstance(wall.decide(held), Done)
    talk.asks(pay(2, state))
    assert talk.forwarded() == [pay(2)]
    assert wall.held == []


def test_denied_between_two_rounds_it_is_refused_when_it_comes_back(wall):
    talk = begin(wall)
    wall.clock.advance(ROUND_S)
    state = told_to_come_back(talk)
    (held,) = wall.held
    denial = Decide(held.row.id, held.digest, held.revision, allow=False, reason="not on Fridays")
    assert wall.do(denial) == Done("denied; its agent is told when it comes back")
    talk.asks(pay(2, state))
    assert "not on Fridays" in talk.refusal()["result"]["content"][0]["text"]


def test_p08_a_state_is_good_for_one_return_of_the_same_call(wall):
    talk = begin(wall)
    wall.clock.advance(ROUND_S)
    state = told_to_come_back(talk)
    talk.asks(pay(2, state, {"amount": 5_000, "to": "bob"}))
    assert verdict(talk.refusal())["cause"] == "fault"
    talk.asks(pay(3, state))
    assert verdict(talk.refusal())["cause"] == "fault"


def test_a_state_that_is_no_longer_known_is_refused_and_not_passed_on(wall):
    talk = begin(wall)
    wall.clock.advance(ROUND_S)
    state = told_to_come_back(talk)
    wall.clock.advance(RETURN_S)
    talk.asks(pay(2, state))
    assert "make the call anew" in talk.refusal()["result"]["content"][0]["text"]
    talk.asks(pay(3, "mcpwall:round:made-up"))
    assert talk.refusal()["id"] == 3


def test_another_client_cannot_come_back_for_it(wall):
    talk = begin(wall)
    wall.clock.advance(ROUND_S)
    state = told_to_come_back(talk)
    other = wall.session(client="stranger")
    other.asks(pay(2, state, client="stranger"))
    assert verdict(other.refusal())["cause"] == "fault"


def test_there_are_at_most_ten_rounds(wall_with):
    wall = wall_with(RULES.replace("[defaults]\n", '[defaults]\nhold = "1h"\n'))
    talk = begin(wall)
    for number in range(2, ROUNDS_MAX + 2):
        comes_back(wall, talk, number)
    wall.clock.advance(ROUND_S)
    assert verdict(talk.refusal())["cause"] == "unattended"


def test_an_agent_that_shakes_hands_is_held_as_long_as_the_person_wants(wall):
    talk = wall.session()
    talk.asks(call(1, "pay", PAY))
    (held,) = wall.held
    assert held.deadline_ms - held.since_ms == 180_000


@pytest.mark.parametrize(
    ("rules", "seconds"),
    [
        (PATIENT, [170, 10]),  # what the person wants, in rounds that the agent waits for
        (RULES, [170]),  # nothing is written: one round of what suits the agent
        (PATIENT + '\n[agents."github-copilot-developer"]\nhold = "20s"\n', [20]),
    ],
)
def test_a_known_agent_comes_back_when_it_would_give_up(wall_with, rules, seconds):
    wall = wall_with(rules)
    talk = wall.session(client="github-copilot-developer")
    state = None
    for number, waits in enumerate(seconds, 1):
        talk.asks(pay(number, state, client="github-copilot-developer"))
        (held,) = wall.held
        assert held.deadline_ms - held.since_ms == waits * 1000
        wall.clock.advance(waits)
        state = told_to_come_back(talk) if number < len(seconds) else None
    assert verdict(talk.refusal())["cause"] == "unattended"


def test_the_default_hold_needs_no_rounds(wall_with):
    wall = wall_with(RULES)
    talk = begin(wall)
    wall.clock.advance(ROUND_S)
    assert verdict(talk.refusal())["cause"] == "unattended"


def test_a_rule_that_came_meanwhile_counts(wall):
    talk = begin(wall)
    wall.clock.advance(ROUND_S)
    state = told_to_come_back(talk)
    wall.edit(PATIENT + '\n[[rules]]\nid = "no-pay"\ntool = "pay"\naction = "deny"\n')
    talk.asks(pay(2, state))
    assert verdict(talk.refusal())["rules"] == ["no-pay"]


def test_every_round_is_on_record(wall):
    talk = begin(wall)
    comes_back(wall, talk, 2)
    first = wall.recorded(1)
    assert (first.state, first.note) == ("withdrawn", "its agent was told to make it again")
