"""Calls that wait for a person: answered, refused, withdrawn, out of time, or overtaken."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from mcpwall.engine.port import Done, HeldEvent, Lockdown, Refused
from mcpwall.engine.port_answers import Decide
from mcpwall.engine.port_calls import State
from tests.engine.wall import RULES, TOOLS, call, note, request, result, text, verdict

ALLOW_PAY = RULES.replace('action = "ask"\nreason = "it is money"', 'action = "allow"')
DENY_PAY = RULES + '\n[[rules]]\nid = "no-pay"\ntool = "pay"\naction = "deny"\n'
ASK_MORE = RULES + '\n[[rules]]\nid = "also"\ntool = "p*"\naction = "ask"\n'


def held_call(wall, **meta):
    """A session with one waiting call, as the person sees it."""
    talk = wall.session()
    talk.asks(call(1, "pay", {"amount": 5, "to": "bob"}, **meta))
    assert talk.forwarded() == []
    assert talk.got() == []
    (held,) = wall.held
    return talk, held


def test_a_held_call_shows_all_that_a_person_must_see(wall):
    _, held = held_call(wall)
    assert held.arguments == {"amount": 5, "to": "bob"}
    assert held.row.state is State.HELD
    assert held.deadline_ms - held.since_ms == 1_500_000
    assert held.why[0] == "A person is asked by rule asks: it is money."
    assert held.two_keys
    assert held.flags == ("first use of this tool",)
    assert held.tool.name == "pay"


def test_allowed_by_the_person_it_runs_once(wall):
    talk, held = held_call(wall)
    assert wall.decide(held) == Done("allowed")
    assert talk.forwarded() == [call(1, "pay", {"amount": 5, "to": "bob"})]
    assert isinstance(wall.decide(held), Refused)
    assert talk.forwarded() == []
    talk.answers(result(1))
    assert talk.got() == [result(1)]
    recorded = wall.recorded(held.row.id)
    assert (recorded.state, recorded.by) == ("done", "person")
    assert (recorded.judged.action, recorded.verdict.cause) == ("ask", "person")


def test_denied_by_the_person_the_agent_reads_why(wall):
    talk, held = held_call(wall)
    assert wall.decide(held, allow=False, reason="not to bob") == Done("denied")
    refusal = talk.refusal()
    assert "not to bob" in text(refusal)
    assert verdict(refusal)["cause"] == "person"
    recorded = wall.recorded(held.row.id)
    assert (recorded.state, recorded.by) == ("refused", "person")


@pytest.mark.parametrize("wrong", ["digest", "revision"])
def test_p08_a_decision_on_something_else_decides_nothing(wall, wrong):
    talk, held = held_call(wall)
    quoted = {"digest": held.digest, "revision": held.revision}
    quoted[wrong] = "0" * 64 if wrong == "digest" else held.revision + 1
    for allow in (True, False):
        assert isinstance(wall.do(Decide(held.row.id, allow=allow, **quoted)), Refused)
    assert talk.got() == []
    assert talk.forwarded() == []
    assert wall.held == [held]


def test_unanswered_it_is_denied_when_its_time_is_up_and_not_before(wall):
    talk, held = held_call(wall)
    wall.clock.advance(1499.9)
    assert talk.got() == []
    wall.clock.advance(0.1)
    refusal = talk.refusal()
    assert verdict(refusal)["cause"] == "unattended"
    assert "nobody answered within 25m" in text(refusal)
    assert "open mcpwall" in text(refusal)
    assert isinstance(wall.decide(held), Refused)
    assert talk.forwarded() == []
    assert wall.recorded(held.row.id).by == "timer"


def test_an_agents_own_time_is_heeded(wall_with):
    wall = wall_with(RULES + '\n[agents."claude-code"]\nhold = "3s"\n')
    talk, _ = held_call(wall)
    wall.clock.advance(3)
    assert verdict(talk.refusal())["cause"] == "unattended"


@pytest.mark.parametrize(
    ("client", "config", "seconds"),
    [
        ("claude-code", "", 1500),
        ("gemini-cli-mcp-client", "", 570),
        ("gemini-cli-mcp-client-fs", "", 570),
        ("qwen-cli-mcp-client-fs", "", 280),
        ("a stranger", "", 50),
        ("claude-code", '[defaults]\nhold = "2m"', 120),  # what is written shortens …
        ("opencode", '[defaults]\nhold = "2m"', 50),  # … and does not outlast the agent
        ("a stranger", '[defaults]\nhold = "2m"', 120),
        ("opencode", '[agents.opencode]\nhold = "2m"', 120),
    ],
)
def test_a_hold_ends_before_the_agent_gives_up(wall_with, client, config, seconds):
    wall = wall_with(config)
    assert wall.engine.rulebook.hold_s(client) == seconds


def test_progress_comes_every_ten_seconds_with_growing_values(wall):
    talk, held = held_call(wall, progressToken="t")
    wall.clock.advance(35)
    signs = [message["params"] for message in talk.got()]
    assert [sign["progressToken"] for sign in signs] == ["t", "t", "t"]
    assert [sign["progress"] for sign in signs] == [1, 2, 3]
    wall.decide(held)
    talk.forwarded()
    # the server starts at 1 again: only values above the wall's go on
    for value in (1, 3, 4):
        talk.answers(note("notifications/progress", {"progressToken": "t", "progress": value}))
    assert [message["params"]["progress"] for message in talk.got()] == [4]
    talk.answers(result(1))
    wall.clock.advance(60)
    assert talk.got() == [result(1)]


def test_p08_a_call_that_the_agent_cancelled_is_never_answered_and_never_runs(wall):
    talk, held = held_call(wall, progressToken="t")
    talk.asks(note("notifications/cancelled", {"requestId": 1}))
    assert isinstance(wall.decide(held), Refused)
    wall.clock.advance(100)
    assert talk.got() == []
    assert talk.forwarded() == []
    assert wall.recorded(held.row.id).state == "withdrawn"
    assert wall.held == []


def test_p08_a_call_whose_session_ended_never_runs(wall):
    talk, held = held_call(wall)
    talk.live.end("the agent closed its end")
    assert isinstance(wall.decide(held), Refused)
    assert talk.forwarded() == []
    assert wall.recorded(held.row.id).state == "withdrawn"


def test_p08_a_notification_whose_session_ended_waits_no_more(wall_with):
    wall = wall_with(f'{RULES}\n[[rules]]\nid = "n"\nmethod = "notifications/x"\naction = "ask"\n')
    talk = wall.session()
    talk.asks(note("notifications/x", {"a": 1}))
    (held,) = wall.held
    talk.live.end("the server has ended")
    assert wall.held == []
    assert isinstance(wall.decide(held), Refused)
    assert talk.forwarded() == []
    assert wall.recorded(held.row.id).state == "withdrawn"


def test_p08_a_call_whose_agent_closed_its_end_never_runs(wall):
    talk, held = held_call(wall)
    wall.engine.holds.withdraw_all(talk.live, "the agent closed its end")
    assert isinstance(wall.decide(held), Refused)
    assert talk.forwarded() == []
    assert not talk.live.busy


def test_a_held_call_delays_nothing_else_of_its_session(wall):
    talk, _ = held_call(wall)
    talk.asks(call(2, "look"), request(3, "ping"))
    assert [message["id"] for message in talk.forwarded()] == [2, 3]
    talk.answers(result(3), result(2))
    assert [message["id"] for message in talk.got()] == [3, 2]


def test_a_rule_that_denies_now_refuses_what_waits(wall):
    talk, held = held_call(wall)
    wall.edit(DENY_PAY)
    refusal = talk.refusal()
    assert verdict(refusal)["rules"] == ["no-pay"]
    assert isinstance(wall.decide(held), Refused)
    assert wall.recorded(held.row.id).by == "rules"


def test_a_rule_that_allows_now_releases_what_waits(wall):
    talk, held = held_call(wall)
    wall.edit(ALLOW_PAY)
    assert talk.forwarded() == []  # an edit from outside that loosens waits itself
    edit = wall.status.outside_edit
    assert isinstance(wall.accept(edit), Done)
    assert [message["id"] for message in talk.forwarded()] == [1]
    assert wall.held == []
    recorded = wall.recorded(held.row.id)
    assert (recorded.state, recorded.by) == ("running", "rules")


def test_p08_other_rules_make_what_was_on_screen_void(wall):
    talk, shown = held_call(wall)
    wall.edit(ASK_MORE)
    (held,) = wall.held
    assert held.revision > shown.revision
    assert held.row.verdict.rules == ("also", "asks")
    assert isinstance(wall.decide(shown), Refused)
    assert talk.forwarded() == []
    assert isinstance(wall.decide(held), Done)
    assert [message["id"] for message in talk.forwarded()] == [1]


def test_an_approval_does_not_override_a_limit(wall_with):
    wall = wall_with(RULES + '\n[[rules]]\nid = "few"\ntool = "pay"\nrate_limit = "1/minute"\n')
    talk = wall.session()
    talk.asks(call(1, "pay", {"amount": 1}), call(2, "pay", {"amount": 2}))
    first, second = wall.held
    assert isinstance(wall.decide(first), Done)
    answer = wall.decide(second)
    assert isinstance(answer, Refused)
    assert "few" in answer.text
    assert [message["id"] for message in talk.forwarded()] == [1]
    (refusal,) = talk.got()
    assert verdict(refusal)["cause"] == "limit"


def test_lockdown_refuses_what_waits_and_what_comes(wall):
    talk, held = held_call(wall)
    assert isinstance(wall.do(Lockdown(on=True)), Done)
    assert wall.rows()[-1].note == "denied by the lockdown"
    assert verdict(talk.refusal())["cause"] == "lockdown"
    assert isinstance(wall.decide(held), Refused)
    talk.asks(call(2, "look"), request(3, "ping"))
    assert [message["id"] for message in talk.forwarded()] == [3]
    (refusal,) = talk.got()
    assert verdict(refusal)["cause"] == "lockdown"
    wall.do(Lockdown(on=False))
    talk.asks(call(4, "look"))
    assert [message["id"] for message in talk.forwarded()] == [4]


def test_p07_nothing_is_released_while_the_tools_are_listed_anew(wall):
    talk, _ = held_call(wall)
    talk.answers(note("notifications/tools/list_changed"))
    (listing,) = talk.forwarded()
    wall.edit(
        RULES.replace('id = "asks"\ntool = "pay"', 'id = "asks"\ntool = "pay"\nenabled = false')
    )
    assert wall.accept(wall.status.outside_edit) == Done("accepted")
    assert talk.forwarded() == []
    talk.answers(result(listing["id"], tools=TOOLS))
    assert [message["id"] for message in talk.forwarded()] == [1]


def test_p13_arguments_of_calls_that_wait_no_more_are_not_kept(wall):
    wall.engine.feed.followers.add(asyncio.Event())  # an app that does not fetch
    talk = wall.session()
    for number in range(20):
        talk.asks(call(number, "pay", {"to": "x" * 100_000}))
        talk.asks(note("notifications/cancelled", {"requestId": number}))
    batch = wall.engine.feed.since(wall.engine.feed.first)
    assert len(msgspec.json.encode(batch)) < 200_000
    assert not [event for event in batch.events if isinstance(event, HeldEvent)]


def test_p13_a_session_keeps_no_more_waiting_than_an_app_can_be_shown(wall):
    talk = wall.session()
    for number in range(5):
        talk.asks(call(number, "pay", {"to": "x" * 1_000_000}))
    (told,) = talk.got()
    assert told["id"] == 4
    assert "bytes of arguments" in text(told)
    assert len(wall.held) == 4


def test_p13_what_waits_sends_no_more_beside_its_arguments_than_a_person_can_be_told_of(wall):
    talk = wall.session()
    asked = call(1, "pay", {"amount": 5})
    asked["params"] |= {f"x{number}" * 100: number for number in range(50)}
    talk.asks(asked)
    (held,) = wall.held
    sent = [flag for flag in held.flags if flag.startswith("also sends")]
    assert sent[-1] == "also sends 30 more fields"
    assert len("".join(sent)) < 10_000
    asked = call(2, "pay", {"amount": 5})
    asked["params"]["x"] = "y" * 70_000
    talk.asks(asked)
    (told,) = talk.got()
    assert "beside its arguments" in text(told)
    assert len(wall.held) == 1


def test_p02_what_a_call_sends_beside_its_arguments_is_shown_with_it(wall):
    talk = wall.session()
    asked = call(1, "pay", {"amount": 5})
    token = "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789"
    asked["params"] |= {"inputResponses": {"sure": {"to": "eve", "key": token}}, "x": "y" * 400}
    talk.asks(asked)
    (held,) = wall.held
    sent = [flag for flag in held.flags if flag.startswith("also sends")]
    assert sent[0].startswith('also sends inputResponses: {"sure":{"key":"⟨secret ')
    assert sent[0].endswith('"to":"eve"}}')
    assert sent[1] == f'also sends x: "{"y" * 299}… (402 characters)'
    assert token not in str(held)
    wall.decide(held)
    assert talk.forwarded() == [asked]
