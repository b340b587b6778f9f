"""Messages of many small parts: what they may cost before they are refused, dropped or cut."""

from __future__ import annotations

import json

import pytest

from mcpwall.protocol import codec
from mcpwall.protocol import commands as p
from mcpwall.protocol.asked import SUBJECT_MAX
from mcpwall.protocol.codec import BATCH_MAX, ID_MAX, VALUES_MAX, Malformed
from mcpwall.protocol.definitions import BYTES_MAX, TOOLS_MAX
from tests.protocol.playbook import call, client, opened, request, result, server

MANY = b"[" + b"{}," * VALUES_MAX + b"1]"
FEW = b'"' + b'{},\\"' * VALUES_MAX + b'"'  # a text, whatever stands in it


def ask(arguments: bytes) -> bytes:
    head = b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":'
    return head + arguments + b"}}"


@pytest.mark.parametrize(
    "line",
    [
        ask(b'{"a":' + MANY + b"}"),
        ask(b'{"a":"","b":' + MANY + b',"c":"'),  # a text without an end
        ask(b'{"a":' + b"0," * VALUES_MAX + b"}"),
        b"[" + b"{}," * (BATCH_MAX + 1) + b"{}]",
    ],
    ids=["objects", "cut", "numbers", "batch"],
)
def test_p13_a_message_of_too_many_values_is_refused_before_it_is_read(line: bytes) -> None:
    with pytest.raises(Malformed, match=r"at most|more than"):
        codec.decode_client(line)


def test_a_long_text_is_one_value() -> None:
    (message,) = codec.decode_client(ask(b'{"a":' + FEW + b"}"))
    assert len(message["params"]["arguments"]["a"]) == 4 * VALUES_MAX


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"x":' + MANY + b"}}",
        b'{"jsonrpc":"2.0","id":9,"method":"roots/list","params":{"x":' + MANY + b"}}",
        b'{"jsonrpc":"2.0","id":9,"result":{"x":' + MANY[:-2] + b"NaN]}}",
        b"[" + b"{}," * (BATCH_MAX + 1) + b"{}]",
        MANY,
    ],
    ids=["notification", "question", "lax", "batch", "empty batch"],
)
def test_p13_what_a_server_says_in_too_many_values_is_dropped(line: bytes) -> None:
    play = opened()
    play >> server(line)
    assert [type(command) for command in play.commands] in ([p.Note], [p.Dropped])
    play.commands.clear()


@pytest.mark.parametrize("asks", [False, True])
def test_p13_a_result_of_many_values_goes_on_unread_unless_it_asks(asks: bool) -> None:
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    play.allow()
    line = b'{"jsonrpc":"2.0","id":2,"result":{"task":%b,"isError":true,"content":%b%b}}' % (
        *(MANY, MANY),
        b',"inputRequests":{"a":{"method":"roots/list","params":%b}}' % MANY if asks else b"",
    )
    play >> server(line)
    sent, answered = play.commands
    play.commands.clear()
    assert isinstance(sent, p.ToClient)
    assert isinstance(answered, p.Answered)
    assert answered.is_error
    assert (sent.line == line) is not asks


def test_p13_a_list_of_many_tools_is_read_up_to_a_bound() -> None:
    play = opened()
    play >> client(request(3, "tools/list")) << server(request(3, "tools/list"))
    tools = [{"name": f"t{number}"} for number in range(TOOLS_MAX + 1)]
    play >> server(result(3, tools=tools, nextCursor="2"))
    _, listed, told = play.commands
    play.commands.clear()
    assert isinstance(listed, p.Listed)
    assert [each.name for each in listed.definitions] == [f"t{n}" for n in range(TOOLS_MAX)]
    assert listed.last
    assert isinstance(told, p.Note)


def test_p13_definitions_are_read_up_to_so_many_bytes() -> None:
    play = opened()
    play >> client(request(3, "tools/list")) << server(request(3, "tools/list"))
    large = {"name": "large", "description": "x" * BYTES_MAX}
    play >> server(json.dumps(result(3, tools=[{"name": "a"}, large, {"name": "b"}])).encode())
    _, listed, told = play.commands
    play.commands.clear()
    assert isinstance(listed, p.Listed)
    assert isinstance(told, p.Note)
    assert [each.name for each in listed.definitions] == ["a"]


def test_p13_pages_of_large_definitions_come_to_an_end() -> None:
    play = opened()
    large = "x" * (BYTES_MAX // 4)
    for number in range(4):
        params = {"cursor": str(number)} if number else {}
        play >> client(request(number + 3, "tools/list", **params))
        play.commands.clear()
        tools = [{"name": f"t{number}", "description": large}]
        play >> server(result(number + 3, tools=tools, nextCursor=str(number + 1)))
        assert [each.last for each in play.commands if isinstance(each, p.Listed)] == [number == 3]
        play.commands.clear()


LONG = "x" * (ID_MAX + 1)


@pytest.mark.parametrize(
    "message",
    [
        request(LONG, "ping"),
        request(LONG, "resources/read", uri="file:///a"),
        request(2, "tools/call", name="x" * (SUBJECT_MAX + 1)),
        request(2, "prompts/get", name="x" * (SUBJECT_MAX + 1)),
        request(2, "resources/read", uri="x" * (SUBJECT_MAX + 1)),
        request(2, "odd/one", name="x" * (SUBJECT_MAX + 1)),
        request(
            2,
            "subscriptions/listen",
            notifications={"resourceSubscriptions": ["x" * (SUBJECT_MAX + 1)]},
        ),
    ],
)
def test_p13_what_is_recorded_whole_of_a_request_is_bounded(message: dict[str, object]) -> None:
    play = opened()
    play >> client(message)
    told, said = play.commands
    assert isinstance(told, p.ToClient)
    assert "at most" in json.loads(told.line)["error"]["message"]
    assert len(told.line) < 500
    assert isinstance(said, p.Note)
    play.commands.clear()


@pytest.mark.parametrize(
    "message",
    [
        request(LONG, "roots/list"),
        request(LONG, "odd"),
        {"jsonrpc": "2.0", "method": "n", "params": {"inputRequests": {LONG: {"method": "a"}}}},
        {"jsonrpc": "2.0", "method": "n", "params": {"inputRequests": {"a": {"method": LONG}}}},
    ],
)
def test_p13_what_is_recorded_whole_of_a_question_is_bounded(message: dict[str, object]) -> None:
    play = opened()
    if "id" not in message:
        message["method"] = "notifications/odd"
    play >> server(message)
    assert [type(command) for command in play.commands] == [p.Note]
    play.commands.clear()


def test_a_long_progress_token_is_the_server_s_business() -> None:
    play = opened()
    asked = request(2, "tools/call", name="echo", arguments={}, _meta={"progressToken": LONG})
    play >> client(asked) << p.Judge
    assert play.judged[0].token is None
