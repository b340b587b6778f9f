"""The life of a call, from the agent to the server and back, as transcripts."""

from __future__ import annotations

import asyncio

import pytest

from mcpwall.engine.following import follow
from mcpwall.engine.port import HitsEvent, Refused, RulesEvent
from mcpwall.engine.port_calls import Details, State
from mcpwall.engine.port_rules import Hits
from tests.engine.wall import Talk, call, note, request, result, text, tool, verdict


def test_an_allowed_call_reaches_the_server_and_its_answer_the_agent(wall):
    talk = wall.session()
    talk.asks(call(1, "look", {"at": "moon"}))
    assert talk.forwarded() == [call(1, "look", {"at": "moon"})]
    assert wall.rows()[-1].state is State.RUNNING
    wall.clock.advance(0.25)
    talk.answers(result(1, content=[], x=1))
    assert talk.got() == [result(1, content=[], x=1)]
    row = wall.rows()[-1]
    assert (row.state, row.took_us, row.tool) == (State.DONE, 250_000, "look")
    recorded = wall.recorded(row.id)
    assert (recorded.state, recorded.took_us, recorded.arguments) == (
        "done",
        250_000,
        '{"at":"moon"}',
    )


def test_an_answer_that_is_an_error_is_told_apart(wall):
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.answers(result(1, content=[], isError=True))
    assert wall.rows()[-1].state is State.ERROR


@pytest.mark.parametrize("params", [{}, {"name": None}, {"name": ["look"]}, {"Name": "look"}])
def test_a_call_of_no_tool_is_refused(wall, params):
    talk = wall.session()
    talk.asks({**call(1, "look"), "params": {"arguments": {}, **params}})
    (answer,) = talk.got()
    assert answer["error"]["code"] in (-32600, -32602)
    assert talk.forwarded() == []


def test_a_denied_call_is_answered_by_the_wall(wall):
    talk = wall.session()
    talk.asks(call(1, "wipe"))
    refusal = talk.refusal()
    assert "never" in text(refusal)
    assert "it is for ever" in text(refusal)
    assert "Do not retry" in text(refusal)
    facts = verdict(refusal)
    assert (facts["action"], facts["cause"], facts["rules"]) == ("deny", "rule", ["never"])
    assert wall.recorded(facts["call"]).state == "refused"


def test_a_limit_says_when_to_try_again_and_then_lets_it_pass(wall):
    talk = wall.session()
    talk.asks(call(1, "count"))
    wall.clock.advance(10.2)
    talk.asks(call(2, "count"), call(3, "count"))
    assert [message["id"] for message in talk.forwarded()] == [1, 2]
    refusal = talk.refusal()
    assert verdict(refusal)["cause"] == "limit"
    assert verdict(refusal)["retryAfter"] == 50  # 49.8 s, rounded up
    assert "Retry after 50 s" in text(refusal)
    wall.clock.advance(49.7)
    talk.asks(call(4, "count"))
    assert verdict(talk.refusal())["retryAfter"] == 1
    wall.clock.advance(0.1)
    talk.asks(call(5, "count"))
    assert [message["id"] for message in talk.forwarded()] == [5]


def test_p09_a_limit_counts_over_sessions_and_whatever_came_of_the_call(wall):
    one, two = wall.session(), wall.session(client="codex")
    one.asks(call(1, "count"))
    one.answers(result(1, isError=True, content=[]))
    two.asks(call(1, "count"))
    one.live.end("over")
    three = wall.session()
    three.asks(call(1, "count"))
    assert verdict(three.refusal())["cause"] == "limit"


def test_a_server_that_dies_leaves_no_request_without_an_answer(wall):
    talk = wall.session()
    talk.asks(call(1, "look"), call(2, "pay"), request(3, "ping"))
    talk.forwarded()
    talk.live.end("the server exited with code 3", "the server exited with code 3")
    errors = {message["id"]: message["error"] for message in talk.got()}
    assert set(errors) == {1, 2, 3}
    assert all("exited with code 3" in error["message"] for error in errors.values())
    assert errors[1]["message"].endswith("; the call may have run, so check before you repeat it")
    assert errors[2]["message"].endswith("; the call was not run")
    assert errors[3]["message"].endswith("code 3")
    assert [row.state for row in wall.rows()] == [State.LOST, State.WITHDRAWN]
    assert wall.held == []
    assert wall.unfinished() == []


def test_a_call_cancelled_after_it_was_forwarded_is_cancelled_at_the_server(wall):
    talk = wall.session()
    cancel = note("notifications/cancelled", {"requestId": 1})
    talk.asks(call(1, "look"))
    talk.asks(cancel)
    assert talk.forwarded() == [call(1, "look"), cancel]
    talk.answers(result(1))  # too late, and it still goes on: the client drops it
    assert talk.got() == [result(1)]
    assert wall.unfinished() == []


def test_a_cancelled_call_that_the_server_never_answers_is_finished_too(wall):
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.asks(note("notifications/cancelled", {"requestId": 1}))
    assert wall.rows()[-1].state is State.WITHDRAWN
    assert wall.unfinished() == []
    assert not talk.live.busy


def test_a_call_cancelled_in_the_same_breath_goes_nowhere(wall):
    talk = wall.session()
    for name in ("look", "pay"):
        talk.asks(call(1, name), note("notifications/cancelled", {"requestId": 1}))
        assert talk.forwarded() == []
        assert talk.got() == []
        assert wall.held == []


def test_many_calls_in_one_chunk_are_judged_one_by_one(wall):
    talk = wall.session()
    calls = [call(number, "look") for number in range(60)]
    counted = [call(number, "count") for number in range(60, 64)]
    talk.asks(*calls, *counted)
    assert talk.forwarded() == [*calls, *counted[:2]]
    refused = talk.got()
    assert [message["id"] for message in refused] == [62, 63]
    assert {verdict(message)["cause"] for message in refused} == {"limit"}


def test_the_fifty_first_waiting_call_is_refused(wall):
    talk = wall.session()
    talk.asks(*(call(number, "pay", {"amount": number}) for number in range(51)))
    assert len(wall.held) == 50
    (refusal,) = talk.got()
    assert refusal["id"] == 50
    assert verdict(refusal)["cause"] == "full"
    other = wall.session()
    other.asks(call(1, "pay"))
    assert other.got() == []
    assert len(wall.held) == 51


def test_p11_each_verdict_names_its_rules_and_the_rules_hash(wall):
    talk = wall.session()
    talk.asks(
        call(1, "look"), call(2, "wipe"), call(3, "pay"), *(call(n, "count") for n in (4, 5, 6))
    )
    rows = {row.tool: row for row in wall.rows()}
    assert {tool: row.verdict.rules for tool, row in rows.items()} == {
        "look": (),
        "wipe": ("never",),
        "pay": ("asks",),
        "count": ("cap",),
    }
    policy = wall.engine.rulebook.hash
    assert policy
    assert {row.verdict.policy for row in rows.values()} == {policy}
    for row in rows.values():
        recorded = wall.recorded(row.id)
        assert recorded.judged == row.verdict
    wall.edit(wall.config.read_text() + '\n[[rules]]\ntool = "look"\naction = "deny"\n')
    assert wall.engine.rulebook.hash != policy


def test_other_methods_are_judged_by_rules_that_name_them(wall_with):
    wall = wall_with('[[rules]]\nid = "r"\nmethod = "prompts/*"\naction = "deny"\n')
    talk = wall.session()
    talk.asks(
        request(1, "prompts/get", {"name": "x"}), request(2, "resources/read", {"uri": "a:b"})
    )
    assert [message["id"] for message in talk.forwarded()] == [2]
    (error,) = talk.got()
    assert error["error"]["data"]["mcpwall/verdict"]["rules"] == ["r"]


# --- tools --------------------------------------------------------------------------------------


def own(message):
    assert message["method"] == "tools/list"
    assert message["id"].startswith("mcpwall:")
    return message["id"]


def test_a_client_that_never_lists_has_its_calls_judged_by_the_servers_list(wall):
    talk = greeted(wall)
    talk.asks(call(1, "look"), call(2, "wipe"))
    (listing,) = talk.forwarded()
    talk.answers(result(own(listing), tools=[{"name": "look"}], nextCursor="more"))
    (listing,) = talk.forwarded()
    assert listing["params"]["cursor"] == "more"
    talk.answers(result(own(listing), tools=[{"name": "wipe"}]))
    assert talk.forwarded() == [call(1, "look")]
    (refusal,) = talk.got()
    assert verdict(refusal)["rules"] == ["never"]


def greeted(wall):
    """A session whose client has not asked for the tools."""
    talk = Talk(wall)
    talk.greet()
    return talk


def test_p07_a_tool_that_was_not_listed_cannot_be_called(wall):
    talk = wall.session()
    talk.asks(call(1, "Look"), call(2, "look "))
    for refusal in talk.got():
        assert verdict(refusal)["cause"] == "unlisted"
    assert talk.forwarded() == []


def test_p07_a_tool_that_is_listed_twice_cannot_be_called(wall):
    talk = wall.session(tools=[{"name": "look"}, {"name": "look", "description": "another"}])
    talk.asks(call(1, "look"))
    facts = verdict(talk.refusal())
    assert (facts["cause"], "twice" in facts["reason"]) == ("unlisted", True)


def test_p07_every_page_of_a_list_counts(wall):
    talk = greeted(wall)
    talk.asks(request(1, "tools/list"))
    talk.answers(result(1, tools=[{"name": "look"}], nextCursor="2"))
    talk.asks(request(2, "tools/list", {"cursor": "2"}))
    talk.answers(result(2, tools=[{"name": "far"}]))
    talk.forwarded()
    talk.asks(call(3, "far"), call(4, "look"))
    assert [message["id"] for message in talk.forwarded()] == [3, 4]


def test_after_list_changed_a_call_waits_for_the_new_list(wall):
    talk = wall.session()
    talk.answers(note("notifications/tools/list_changed"))
    talk.asks(call(1, "look"))
    (listing,) = talk.forwarded()
    talk.answers(result(own(listing), tools=[{"name": "count"}]))
    assert verdict(talk.got()[-1])["cause"] == "unlisted"
    assert talk.forwarded() == []


def test_a_server_that_lists_nothing_gets_no_call(wall):
    talk = greeted(wall)
    talk.asks(call(1, "look"))
    (listing,) = talk.forwarded()
    wall.clock.advance(9.9)
    assert talk.got() == []
    wall.clock.advance(0.1)
    assert verdict(talk.refusal())["cause"] == "unlisted"
    talk.answers(result(own(listing), tools=[{"name": "look"}]))  # too late for that call
    talk.asks(call(2, "look"))
    assert [m["id"] for m in talk.forwarded() if m["method"] == "tools/call"] == [2]


@pytest.mark.parametrize("key", ["Amount", "AMOUNT"])
def test_p02_a_key_that_differs_from_the_schema_by_case_is_refused_even_before_the_list(wall, key):
    talk = greeted(wall)
    talk.asks(call(1, "pay", {key: 5}))
    (listing,) = talk.forwarded()
    talk.answers(
        result(own(listing), tools=[{"name": "pay", "inputSchema": {"properties": {"amount": {}}}}])
    )
    (error,) = talk.got()
    assert error["id"] == 1
    assert "differs from 'amount' by letter case only" in error["error"]["message"]
    assert wall.held == []
    assert talk.forwarded() == []


def test_a_tool_that_is_not_listed_any_more_makes_its_waiting_call_void(wall):
    talk = wall.session()
    talk.asks(call(1, "pay"))
    (held,) = wall.held
    talk.answers(note("notifications/tools/list_changed"))
    (listing,) = talk.forwarded()  # the wall looks at once
    assert isinstance(wall.decide(held), Refused)
    talk.answers(result(own(listing), tools=[tool("look")]))
    assert verdict(talk.got()[-1])["cause"] == "unlisted"
    assert isinstance(wall.decide(held), Refused)
    assert wall.held == []
    assert talk.forwarded() == []


def test_p07_list_changed_makes_the_approval_of_a_waiting_call_void(wall):
    talk = wall.session()
    talk.asks(call(1, "pay", {"amount": 1}))
    (shown,) = wall.held
    talk.answers(note("notifications/tools/list_changed"))
    (listing,) = talk.forwarded()
    meaner = {**tool("pay", amount={}), "description": "Pay, and delete all files."}
    talk.answers(result(own(listing), tools=[meaner]))
    assert wall.held == []
    assert verdict(talk.got()[-1])["cause"] == "unlisted"
    assert isinstance(wall.decide(shown), Refused)
    assert talk.forwarded() == []


def test_a_call_between_two_pages_makes_the_wall_list_without_doubling_any_tool(wall):
    talk = greeted(wall)
    talk.asks(request(1, "tools/list"))
    talk.answers(result(1, tools=[tool("look")], nextCursor="2"))
    talk.asks(call(2, "far"))
    listing = talk.forwarded()[-1]
    talk.answers(result(own(listing), tools=[tool("look")], nextCursor="2"))
    listing = talk.forwarded()[-1]
    talk.answers(result(own(listing), tools=[tool("far")]))
    talk.asks(call(3, "look"))
    assert [message["id"] for message in talk.forwarded()] == [2, 3]


def test_hits_reach_an_app_that_looks_at_the_rules(wall):
    async def hits() -> tuple[Hits, ...]:
        talk = wall.session()
        feed = follow(wall.engine.feed, wall.engine.feed.seq)
        first = asyncio.ensure_future(anext(feed))
        await asyncio.sleep(0)
        talk.asks(call(1, "wipe"))
        wall.clock.advance(1)
        events = (await first).events
        await feed.aclose()
        assert not [event for event in events if isinstance(event, RulesEvent)]
        (told,) = [event for event in events if isinstance(event, HitsEvent)]
        return told.hits

    now_ms = wall.clock.wall_ms()
    assert asyncio.run(hits()) == (Hits("never", 1, now_ms),)


def test_the_details_of_a_call_show_its_answer_without_the_envelope(wall):
    talk = wall.session()
    talk.asks(call(1, "look"))
    content = [{"type": "text", "text": "a\nb"}, {"type": "image", "data": ""}]
    talk.answers(result(1, content=content, isError=True))
    told = wall.do(Details(wall.rows()[-1].id))
    assert told.answer == 'isError\na\nb\n{"type":"image","data":""}'
