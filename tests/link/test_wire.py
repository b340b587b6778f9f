import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.engine.port import Command, Done, Lockdown, NoticeEvent, Reply, Stop
from mcpwall.engine.port_answers import Decide, Match, Remember, Scope
from mcpwall.engine.port_calls import Details
from mcpwall.engine.port_rules import Preview, PutRule, Undo
from mcpwall.link import wire

# What JSON in UTF-8 can hold: no lone surrogates, no NaN.
text = st.text(st.characters(codec="utf-8"))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=10,
)
objects = st.dictionaries(text, json_values, max_size=4)
remembers = st.builds(
    Remember, st.sampled_from(Scope), st.sampled_from(Match), argument=text, pattern=text
)
commands = st.one_of(
    st.builds(
        Decide,
        st.integers(0),
        text,
        st.integers(0),
        st.booleans(),
        text,
        st.none() | remembers,
    ),
    st.builds(PutRule, objects, text),
    st.builds(Preview, st.none() | objects, text, st.none() | remembers, st.integers(0)),
    st.builds(Lockdown, st.booleans()),
    st.builds(Undo, st.booleans()),
    st.builds(Details, st.integers(0)),
    st.just(Stop()),
)


@given(commands, st.integers(1))
def test_commands_arrive_as_they_were_sent(command, number):
    line = wire.request(number, "send", command)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    frame = wire.read_frame(line)
    assert (frame.id, frame.method) == (number, "send")
    assert wire.read_value(frame.params, Command) == command


@given(objects)
def test_p02_arguments_are_shown_to_the_last_digit(arguments):
    line = wire.request(1, "send", PutRule(arguments))
    assert wire.read_value(wire.read_frame(line).params, Command).fields == arguments


def test_p02_big_integers_and_floats_keep_every_digit():
    fields = {"big": 10**40 + 1, "negative": -(2**80), "float": 0.1 + 0.2}
    line = wire.request(1, "send", PutRule(fields))
    assert wire.read_value(wire.read_frame(line).params, Command).fields == fields


@given(st.binary(max_size=200) | json_values.map(msgspec.json.encode))
def test_arbitrary_lines_are_a_frame_or_a_wire_error(line):
    with suppress(wire.WireError):
        assert wire.read_frame(line).jsonrpc == "2.0"


@given(json_values)
def test_arbitrary_params_are_a_command_or_a_wire_error(value):
    with suppress(wire.WireError):
        command = wire.read_value(msgspec.Raw(msgspec.json.encode(value)), Command)
        assert isinstance(command, Command)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", wire.PARSE_ERROR),
        (b"{", wire.PARSE_ERROR),
        (b'{"jsonrpc":"2.0","params":' + b"[" * 100_000, wire.PARSE_ERROR),
        (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', wire.PARSE_ERROR),
        (b'{"jsonrpc":"2.0","id":1,"method":"a"} b', wire.PARSE_ERROR),
        (b"[]", wire.INVALID_REQUEST),
        (b'{"jsonrpc":"1.0","id":1,"method":"a"}', wire.INVALID_REQUEST),
        (b'{"id":1,"method":"a"}', wire.INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":"1","method":"a"}', wire.INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":2}', wire.INVALID_REQUEST),
    ],
)
def test_what_is_no_frame(line, code):
    with pytest.raises(wire.WireError) as caught:
        wire.read_frame(line)
    assert caught.value.code == code


def test_deep_params_are_a_wire_error():
    raw = msgspec.Raw(b'{"type":"put_rule","fields":{"a":' + b"[" * 100_000)
    with pytest.raises(wire.WireError):
        wire.read_value(raw, Command)


def test_a_name_that_is_not_utf8_is_spelled_out_and_silences_nothing():
    line = wire.notification("batch", NoticeEvent("info", "in /srv/\udce9t\udce9"))
    event = wire.read_value(wire.read_frame(line).params, NoticeEvent)
    assert event.text == r"in /srv/\udce9t\udce9"
    assert wire.read_value(wire.read_frame(wire.answer(1, Done("\ud800"))).result, Reply) == Done(
        r"\ud800"
    )
    assert wire.read_frame(wire.fault(1, -1, "\ud800")).error == wire.Fault(-1, r"\ud800")


def test_a_fault_without_a_request_has_a_null_id():
    assert json.loads(wire.fault(None, wire.PARSE_ERROR, "no")) == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32700, "message": "no"},
    }


def test_only_stop_is_stop():
    def asks(line: bytes) -> bool:
        return wire.is_stop(wire.read_frame(line))

    assert asks(wire.request(1, "send", Stop()))
    assert not asks(wire.request(1, "send", Lockdown(on=True)))
    assert not asks(wire.request(1, "stop", Stop()))
    assert not asks(wire.request(1, "send"))
    assert not asks(b'{"jsonrpc":"2.0","id":1,"method":"send","params":{"type":"of_2031"}}')


def test_hello_and_stop_are_said_as_every_version_understands():
    hello = json.loads(wire.request(1, "hello", wire.Hello("1.2", "cli")))
    assert hello == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "hello",
        "params": {"version": "1.2", "role": "cli"},
    }
    welcome = json.loads(wire.answer(1, wire.Welcome("1.2", 7)))
    assert welcome == {"jsonrpc": "2.0", "id": 1, "result": {"version": "1.2", "pid": 7}}
    stop = json.loads(wire.request(2, "send", Stop()))
    assert stop == {"jsonrpc": "2.0", "id": 2, "method": "send", "params": {"type": "stop"}}
    done = json.loads(wire.answer(2, Done("bye")))
    assert done == {"jsonrpc": "2.0", "id": 2, "result": {"type": "done", "text": "bye"}}
