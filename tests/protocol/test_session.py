"""The conversation, as transcripts: what each side says, what the other gets, what is judged."""

from __future__ import annotations

import json

import pytest

from mcpwall.protocol import asked
from mcpwall.protocol import commands as p
from mcpwall.protocol.methods import META_VERSION
from mcpwall.protocol.session import Session
from mcpwall.protocol.tool_list import OWN_ID, PAGES_MAX
from tests.protocol.playbook import (
    ECHO,
    INITIALIZE,
    Playbook,
    call,
    client,
    error,
    note,
    opened,
    page,
    request,
    result,
    server,
)

MALFORMED = -32600


def refusal(command: p.Command) -> dict[str, object]:
    assert isinstance(command, p.ToClient)
    return json.loads(command.line)


# --- ordinary use -------------------------------------------------------------------------------


def test_a_call_is_judged_then_forwarded_then_answered() -> None:
    play = opened()
    play >> client(call(2, "echo", text="hi")) << p.Judge
    assert json.loads(play.allow().bytes) == call(2, "echo", text="hi")
    answer = result(2, content=[])
    play >> server(answer) << client(answer) << p.Answered
    play.done()


def test_an_answer_goes_on_byte_for_byte() -> None:
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    play.allow()
    line = b'{ "result" : {"x": 1.50, "content":[ ]},  "id":2,"jsonrpc":"2.0" }'
    play >> server(line)
    sent = play.commands.pop(0)
    assert isinstance(sent, p.ToClient)
    assert sent.line == line
    play << p.Answered
    play.done()


def test_an_error_answer_is_told_apart() -> None:
    play = opened()
    for request_id, answer in (
        (2, result(2, content=[], isError=True)),
        (3, error(3, -32000, "no")),
    ):
        play >> client(call(request_id, "echo")) << p.Judge
        play.allow()
        play >> server(answer) << client(answer)
        answered = play.commands.pop()
        assert isinstance(answered, p.Answered)
        assert answered.is_error


def test_unknown_fields_survive() -> None:
    play = opened()
    message = call(2, "echo", text="hi") | {"extra": {"kept": [1, None, "ü"]}}
    message["params"]["task"] = {"ttl": 1}
    play >> client(message) << p.Judge
    assert json.loads(play.allow().bytes) == message


def test_a_refused_call_is_a_tool_result_that_says_so() -> None:
    play = opened()
    play >> client(call("a", "echo")) << p.Judge
    line = play.session.refused(play.judged.pop(), "no", {"action": "deny"})
    assert json.loads(line) == result(
        "a",
        content=[{"type": "text", "text": "no"}],
        isError=True,
        _meta={"mcpwall/verdict": {"action": "deny"}},
    )
    # the id is free again
    play >> client(call("a", "echo")) << p.Judge


def test_other_requests_are_judged_and_refused_as_errors() -> None:
    play = opened()
    play >> client(request(2, "resources/read", uri="file:///x")) << p.Judge
    read = play.judged.pop()
    assert (read.subject, read.arguments) == ("file:///x", {"uri": "file:///x"})
    assert json.loads(play.session.refused(read, "no", {}))["error"]["code"] == -32603


def test_a_server_asks_and_the_client_answers_once() -> None:
    play = opened()
    roots = {"jsonrpc": "2.0", "id": 0, "method": "roots/list"}
    play >> server(roots) << p.Judge
    play >> client(result(0, roots=[])) << p.Note  # the client has not been asked yet
    assert play.allow().bytes == server(roots).bytes
    play >> client(result(0, roots=[])) << server(result(0, roots=[])) << p.Answered
    play >> client(result(0, roots=[])) << p.Note  # a second answer goes nowhere
    play.done()


# --- the stateless era --------------------------------------------------------------------------


def stateless(request_id: object, method: str, **params: object) -> dict[str, object]:
    meta = {
        META_VERSION: "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "codex", "version": "9"},
    }
    return request(request_id, method, _meta=meta, **params)


def test_a_stateless_client_calls_without_a_handshake() -> None:
    play = Playbook(Session())
    play >> client(stateless(1, "tools/call", name="echo", arguments={})) << p.Opened
    asked = play.commands.pop(0)
    assert isinstance(asked, p.ToServer)
    listing = json.loads(asked.line)
    assert listing["method"] == "tools/list"
    assert listing["params"]["_meta"][META_VERSION] == "2026-07-28"  # the server demands it
    play << p.Listing
    play >> server(result(listing["id"], tools=[ECHO], resultType="complete"))
    play << page([ECHO], first=True, last=True) << p.Judge
    play.done()
    assert play.session.parties.client == "codex"
    refused = json.loads(play.session.refused(play.judged.pop(), "no", {}))
    assert refused["result"]["resultType"] == "complete"


# --- the server's tools -------------------------------------------------------------------------


def handshake_only() -> Playbook:
    play = Playbook(Session())
    play >> client(INITIALIZE) << p.Opened << server(INITIALIZE)
    answer = result(0, protocolVersion="2025-06-18", capabilities={}, serverInfo={"name": "x"})
    play >> server(answer) << client(answer) << p.Described("") << p.Opened
    play >> client(note("notifications/initialized"))
    play << server(note("notifications/initialized"))
    return play


def test_for_a_client_that_never_lists_the_wall_lists_every_page() -> None:
    play = handshake_only()
    play >> client(call(1, "echo"))
    first = json.loads(play.commands.pop(0).line)
    play << p.Listing
    play >> client(call(2, "late"))  # a second call does not ask again
    play >> server(result(first["id"], tools=[ECHO], nextCursor="p2"))
    play << page([ECHO], first=True, last=False)
    second = json.loads(play.commands.pop(0).line)
    assert second["params"] == {"cursor": "p2"}
    late = {"name": "late"}
    play >> server(result(second["id"], tools=[late]))
    play << page([late], first=False, last=True) << p.Judge << p.Judge
    play.done()


def test_a_server_that_cannot_list_gets_no_call_unjudged() -> None:
    play = handshake_only()
    play >> client(call(1, "echo"))
    asked = json.loads(play.commands.pop(0).line)
    play << p.Listing
    play >> server(error(asked["id"], -32601, "no such method")) << p.Note << p.Judge
    play.done()


def test_a_listing_that_never_comes_is_given_up() -> None:
    play = handshake_only()
    play >> client(call(1, "echo"))
    asked = play.commands.pop(0)
    listing = play.commands.pop(0)
    assert isinstance(listing, p.Listing)
    assert [type(c) for c in play.session.listing_failed(listing.number)] == [p.Note, p.Judge]
    assert play.session.listing_failed(listing.number) == []
    # its answer, when it comes at last, stays with the wall, which learns from it
    late = server(result(json.loads(asked.line)["id"], tools=[ECHO]))
    play >> late << page([ECHO], first=True, last=True)
    play.done()


def test_changed_tools_are_listed_again_before_the_next_call() -> None:
    play = opened()
    changed = note("notifications/tools/list_changed")
    play >> server(changed) << client(changed)
    play >> client(call(2, "echo"))
    assert json.loads(play.commands.pop(0).line)["method"] == "tools/list"
    play << p.Listing
    play.done()


# --- cancellation and progress ------------------------------------------------------------------


def test_a_cancelled_call_that_was_forwarded_is_cancelled_at_the_server() -> None:
    play = opened()
    cancel = note("notifications/cancelled", requestId=2)
    play >> client(call(2, "echo")) << p.Judge
    play.allow()
    play >> client(cancel) << server(cancel) << p.Withdrawn
    play >> server(result(2, content=[])) << client(result(2, content=[]))  # late, let through once
    play >> server(result(2, content=[])) << p.Note
    play.done()


def test_a_cancelled_call_that_waits_is_never_heard_of_again() -> None:
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    held = play.judged.pop()
    held.call = 7
    play.session.held(held)
    play >> client(note("notifications/cancelled", requestId=2))
    gone = play.commands.pop(0)
    assert isinstance(gone, p.Withdrawn)
    assert gone.request is held
    play.done()
    assert held.id not in play.session.requests


def test_a_cancel_of_something_finished_goes_nowhere() -> None:
    play = opened()
    play >> client(note("notifications/cancelled", requestId=99))
    play.done()


def test_the_servers_progress_never_falls_behind_the_walls() -> None:
    play = opened()
    message = call(2, "echo")
    message["params"]["_meta"] = {"progressToken": "t"}
    play >> client(message) << p.Judge
    held = play.judged[0]
    held.call = 1
    play.session.held(held)
    for value in (1, 2):
        line = play.session.requests.progress.sign(held, "waiting")
        assert line is not None
        assert json.loads(line)["params"]["progress"] == value
    play.allow()
    play >> server(note("notifications/progress", progressToken="t", progress=2))  # not above 2
    third = note("notifications/progress", progressToken="t", progress=2.5)
    play >> server(third) << client(third)
    play.done()


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b'"text"',
        b"[]",
        b"[1]",
        b'{"jsonrpc":"2.0","id":1,"method":"ping"',
        b'{"jsonrpc":"2.0","id":1,"method":"p\xff"}',
        (
            b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":'
            b'{"n":NaN}}}'
        ),
        (
            b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":'
            b'{"n":1e400}}}'
        ),
        (
            b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":'
            b'{"n":"\\ud800"}}}'
        ),
        b"\xef\xbb\xbf" + json.dumps(call(2, "echo")).encode(),
        json.dumps(call(2, "echo")).encode("utf-16"),
        b'{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"echo"}}',
        b'{"jsonrpc":"2.0","id":true,"method":"tools/call","params":{"name":"echo"}}',
        b'{"jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{"name":"echo"}}',
        b'{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{"name":"echo"}}',
        b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo"}}',
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo"},"result":{}}',
        b'{"jsonrpc":"2.0","id":2,"Method":"ping","method":"tools/call","params":{"name":"e"}}',
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"e","Name":"f"}}',
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"e","argument\xc5\xbf":{}}}',
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":[]}}',
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":7}}',
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":[]}',
        b'{"jsonrpc":"2.0","id":2,"method":"Tools/Call","params":{"name":"echo"}}',
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call ","params":{"name":"echo"}}',
        b'{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":["file:///x"]}}',
        b'{"jsonrpc":"2.0","id":2,"method":"prompts/get","params":{"uri":"x"}}',
        b'{"id":2,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":2}',
        json.dumps(call(2, "echo", text="a", Text="b")).encode(),
        json.dumps(call(2, "echo", TEXT="b")).encode(),  # the schema knows "text"
        json.dumps(call(2, "echo", deep=[{"k": 1, "K": 2}])).encode(),
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"a":'
        + b"[" * 500
        + b"]" * 500
        + b"}}}",
        json.dumps([call(2, "echo"), call(3, "echo")]).encode(),  # no batches in this version
    ],
)
def test_what_two_readers_could_read_differently_is_refused(line: bytes) -> None:
    play = opened()
    play >> client(line)
    told = refusal(play.commands.pop(0))
    assert told["error"]["code"] in (-32700, -32600, -32602)
    assert "id" in told
    play << p.Note
    play.done()


@pytest.mark.parametrize("depth", [101, 990, 5_000])
@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","_meta":{"a":%s}}}',
        b'{"jsonrpc":"2.0","id":2,"method":"ping","params":{"a":%s}}',
        b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"a":%s}}',
    ],
)
def test_p13_no_part_of_a_message_nests_deeper_than_servers_bear(line: bytes, depth: int) -> None:
    play = opened()
    play >> client(line % (b"[" * depth + b"]" * depth))
    assert "nests deeper" in str(refusal(play.commands.pop(0)))
    play << p.Note
    play.done()


def test_many_lists_side_by_side_are_not_deep() -> None:
    play = opened()
    play >> client(call(2, "echo", rows=[[]] * 500)) << p.Judge
    play.done()


def test_p04_a_request_is_about_the_field_that_its_server_looks_at() -> None:
    play = opened()
    play >> client(request(2, "resources/read", name="harmless", uri="file:///secret"))
    (judge,) = play.commands
    assert isinstance(judge, p.Judge)
    assert judge.request.subject == "file:///secret"


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","id":1e400,"result":{}}',
        b'{"jsonrpc":"2.0","id":"\xff","result":{}}',
        b'{"jsonrpc":"2.0","id":"\\ud800","result":{}}',
        b'{"jsonrpc":"2.0","id":' + b"9" * 5_000 + b',"result":{}}',
        b'{"jsonrpc":"2.0","id":2,"method":"ping","result":{}}',
        b'{"jsonrpc":"2.0","id":2,"method":"ping","error":{}}',
    ],
)
def test_p13_an_odd_answer_neither_fails_the_wall_nor_answers_a_call(line: bytes) -> None:
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    play.allow()
    play >> server(line)
    assert not any(isinstance(command, p.ToClient | p.Answered) for command in play.commands)


def test_p13_an_answer_in_broken_utf_8_still_finds_its_request() -> None:
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    play.allow()
    play >> server(b'{"jsonrpc":"2.0","id":2,"result":{"isError":"\xff"}}')
    play << p.ToClient << p.Answered
    play.done()


def test_an_id_in_flight_is_not_used_twice() -> None:
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    play >> client(call(2, "echo"))
    assert refusal(play.commands.pop(0))["id"] is None  # not the first call's answer
    play << p.Note
    for twin in ("2", -2, "02", "two"):
        play >> client(call(twin, "echo"))
        if twin == "2":  # a server that keys on text would take one for the other
            assert refusal(play.commands.pop(0))["id"] is None
            play << p.Note
        else:
            play << p.Judge
        play.done()


def test_what_is_sent_beside_the_arguments_is_found() -> None:
    play = opened()
    message = call(2, "echo", text="a")
    message["params"] |= {"requestState": "s", "odd": 1, "_meta": {}}
    play >> client(message) << p.Judge
    assert list(asked.beside(play.judged[0])) == ["requestState", "odd"]


def test_in_2025_03_26_each_part_of_a_batch_is_judged() -> None:
    play = opened("2025-03-26")
    play >> client([call(2, "echo"), note("notifications/x"), call(3, "echo")])
    play << p.Judge << p.Judge << p.Judge
    play.done()


def test_a_notification_that_nobody_knows_is_judged() -> None:
    play = opened()
    play >> client(note("notifications/x", a=1)) << p.Judge
    assert play.judged[0].arguments == {"a": 1}
    assert json.loads(play.allow().bytes) == note("notifications/x", a=1)


def test_a_question_in_flight_is_not_asked_twice() -> None:
    play = opened()
    play >> server(request(1, "ping")) << client(request(1, "ping"))
    play >> server(request(1, "roots/list")) << p.Note
    play >> server([request(2, "sampling/createMessage")]) << p.Note


def test_a_question_that_the_server_takes_back_is_over() -> None:
    play = opened()
    play >> server(request(1, "sampling/createMessage")) << p.Judge
    play.judged[0].call = 7
    cancelled = note("notifications/cancelled", requestId=1)
    play >> server(cancelled) << p.Withdrawn  # the client never heard of it
    play >> server(request(2, "sampling/createMessage")) << p.Judge
    play.judged.pop(0)
    play.allow()
    cancelled = note("notifications/cancelled", requestId=2)
    play >> server(cancelled) << client(cancelled) << p.Withdrawn


def test_what_is_forwarded_is_one_line_to_every_reader() -> None:
    play = opened()
    smuggled = 'a\u2028{"jsonrpc":"2.0","id":9,"method":"tools/call"}\u2029\u0085\r\n'
    play >> client(call(2, "echo", text=smuggled)) << p.Judge
    line = play.allow().bytes
    assert len(line.decode().splitlines()) == 1
    assert json.loads(line)["params"]["arguments"]["text"] == smuggled


def test_what_a_server_says_is_one_line_to_every_reader() -> None:
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    play.allow()
    smuggled = 'ü☃\u2028{"jsonrpc":"2.0","id":9,"method":"sampling/createMessage"}\u2029\u0085'
    answer = result(2, content=[{"type": "text", "text": smuggled}])
    play >> server(json.dumps(answer, ensure_ascii=False).replace("{", "\r{", 2).encode())
    sent, _ = play.commands
    play.commands.clear()
    assert isinstance(sent, p.ToClient)
    assert len(sent.line.decode().splitlines()) == 1
    assert "ü☃" in sent.line.decode()
    assert json.loads(sent.line) == answer


def test_duplicate_keys_reach_the_server_as_the_one_that_was_judged() -> None:
    play = opened()
    play >> client(
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call",'
        b'"params":{"name":"echo","arguments":{"text":"a","text":"b"}}}'
    )
    play << p.Judge
    assert play.judged[0].arguments == {"text": "b"}
    assert b'"a"' not in play.allow().bytes


def test_large_integers_stay_exact() -> None:
    play = opened()
    play >> client(call(2, "echo", text=10**40)) << p.Judge
    assert json.loads(play.allow().bytes)["params"]["arguments"]["text"] == 10**40


# --- what a server cannot do --------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"starting up...",
        b'{"jsonrpc":"2.0","id":77,"result":{}}',  # nobody asked
        b'{"jsonrpc":"2.0","id":"1","result":{}}',
        b"\xff\xfe",
    ],
)
def test_noise_of_the_server_stays_with_the_wall(line: bytes) -> None:
    play = opened()
    play >> server(line) << p.Note
    play.done()


def test_a_held_call_cannot_be_answered_by_the_server() -> None:
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    held = play.judged[0]
    held.call = 1
    play.session.held(held)
    play >> server(result(2, content=[])) << p.Note
    assert held.id in play.session.requests


def test_a_bare_carriage_return_does_not_split_an_answer() -> None:
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    play.allow()
    play >> server(b'{"jsonrpc":"2.0",\r"id":2,"result":{}}\r')
    sent = play.commands.pop(0)
    assert isinstance(sent, p.ToClient)
    assert b"\r" not in sent.line
    play << p.Answered


def test_an_answer_with_nan_still_finds_its_request() -> None:
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    play.allow()
    play >> server(b'{"jsonrpc":"2.0","id":2,"result":{"x":NaN}}')
    sent = play.commands.pop(0)
    assert isinstance(sent, p.ToClient)
    assert b"NaN" in sent.line
    play << p.Answered


# --- a new engine -------------------------------------------------------------------------------


def test_a_conversation_goes_on_from_its_memory() -> None:
    play = opened()
    play >> client(request(5, "prompts/list")) << server(request(5, "prompts/list"))
    play >> server(request("r", "ping")) << client(request("r", "ping"))
    again = Playbook(Session(play.session.memory()))
    again >> server(result(5, prompts=[])) << client(result(5, prompts=[]))
    again >> client(result("r")) << server(result("r"))
    again >> client(call(6, "echo"))  # the tools are listed anew
    again << p.ToServer << p.Listing
    again.done()
    assert again.session.parties.client == "claude-code"


# --- lists that never end, or come too late -----------------------------------------------------

CHANGED = note("notifications/tools/list_changed")


def own(number: int) -> str:
    return f"{OWN_ID}{number}"


def test_p13_a_list_without_end_is_ended() -> None:
    play = Playbook(Session())
    play >> client(INITIALIZE)
    play.commands.clear()
    play >> client(call(2, "t1"))
    asked = 0
    while any(isinstance(command, p.ToServer) for command in play.commands):
        asked += 1
        assert asked <= PAGES_MAX
        play.commands.clear()
        page = [{"name": f"t{asked}"}]
        play >> server(result(own(asked), tools=page, nextCursor="more"))
    assert isinstance(play.commands[-1], p.Judge)


def test_p13_tools_that_change_without_end_are_asked_for_once_at_a_time() -> None:
    play = opened()
    play >> server(CHANGED) << client(CHANGED)
    play >> client(call(2, "echo")) << p.ToServer << p.Listing
    for _ in range(1_000):
        play >> server(CHANGED) << client(CHANGED)
    play >> server(result(own(1), tools=[ECHO]))  # of before the last change
    play << p.ToServer << p.Listing
    play >> server(result(own(2), tools=[ECHO])) << p.Listed << p.Judge
    play.done()


def test_p07_a_list_from_before_a_change_says_nothing_of_what_came_after() -> None:
    play = opened()
    play >> client(request(2, "tools/list")) << server(request(2, "tools/list"))
    play >> server(CHANGED) << client(CHANGED)
    late = result(2, tools=[ECHO])
    play >> server(late) << client(late)
    assert not play.session.knows("echo")


def test_p07_a_later_page_alone_makes_no_tool_known() -> None:
    play = opened()
    play >> server(CHANGED) << client(CHANGED)
    play >> client(request(2, "tools/list", cursor="2")) << p.ToServer
    page = result(2, tools=[{"name": "other"}])
    play >> server(page) << client(page)
    assert not play.session.knows("echo")
    assert not play.session.knows("other")


def test_p07_a_list_that_nobody_asked_for_is_none() -> None:
    play = opened()
    play >> server(result(own(0), tools=[{"name": "other"}]))
    play.done()


# --- which request a line is about --------------------------------------------------------------


def abouts(play: Playbook) -> list[object]:
    """What each line that came out is about; reads all commands."""
    lines = [c for c in play.commands if isinstance(c, p.ToClient | p.ToServer)]
    play.commands.clear()
    return [line.about for line in lines]


def test_a_request_and_its_answer_are_about_its_id() -> None:
    play = opened()
    play >> client(request("p", "ping"))
    assert abouts(play) == ["p"]
    play >> server(result("p"))
    assert abouts(play) == ["p"]
    play >> client(call(3, "echo")) << p.Judge
    play.allow()
    play >> server(result(3))
    assert abouts(play) == [3]


def test_progress_is_about_the_request_that_gave_its_token() -> None:
    play = opened()
    message = call(2, "echo")
    message["params"]["_meta"] = {"progressToken": "t"}
    play >> client(message) << p.Judge
    play.allow()
    play >> server(note("notifications/progress", progressToken="t", progress=1))
    assert abouts(play) == [2]
    play >> server(note("notifications/progress", progressToken="u", progress=1))
    assert abouts(play) == [None]
    play >> server(result(2))
    play.commands.clear()
    play >> server(note("notifications/progress", progressToken="t", progress=2))
    assert abouts(play) == [None]


def test_progress_of_a_cancelled_request_still_finds_it() -> None:
    play = opened()
    message = request(2, "tools/list")
    message["params"]["_meta"] = {"progressToken": 7}
    play >> client(message) << p.ToServer
    play >> client(note("notifications/cancelled", requestId=2)) << p.ToServer
    play >> server(note("notifications/progress", progressToken=7, progress=1))
    assert abouts(play) == [2]


def test_what_concerns_no_request_is_about_none() -> None:
    play = opened()
    play >> server(note("notifications/message", level="info", data="x"))
    assert abouts(play) == [None]
    play >> server(request(1, "ping"))
    assert abouts(play) == [None]
    play >> client(b"[]")
    assert abouts(play) == [None]


def test_a_stateless_subscription_s_messages_are_about_it() -> None:
    play = Playbook(Session())
    play >> client(stateless(9, "subscriptions/listen", notifications={})) << p.Opened << p.ToServer
    meta = {"io.modelcontextprotocol/subscriptionId": 9}
    play >> server(note("notifications/tools/list_changed", _meta=meta))
    assert abouts(play) == [9]
