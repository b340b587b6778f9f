"""Server-sent events: what the parser reads, however the stream is cut, and what the encoder
writes."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.transport.http.sse import (
    Comment,
    Event,
    Item,
    Parser,
    SseError,
    encode,
)


def parse(stream: bytes, *cuts: int) -> list[Item]:
    parser = Parser()
    places = [0, *sorted(cuts), len(stream)]
    chunks = [stream[a:b] for a, b in itertools.pairwise(places)]
    return [item for chunk in chunks for item in parser.feed(chunk)]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_field_is_read_with_each_kind_of_line_end(end: bytes) -> None:
    lines = [b"event: message", b"id: 7", b"retry: 1500", b'data: {"a":1}', b"", b""]
    assert parse(end.join(lines)) == [Event(b'{"a":1}', "message", "7", 1500)]


def test_lines_of_data_are_joined_and_one_space_is_taken_off() -> None:
    assert parse(b"data:  a\ndata:b\ndata\n\n") == [Event(b" a\nb\n")]


def test_a_bare_cr_ends_a_line_so_nothing_hides_behind_it() -> None:
    assert parse(b"data: 1\rdata: 2\r\r") == [Event(b"1\n2")]


def test_an_event_that_only_names_itself_is_told_too() -> None:
    assert parse(b"id: 3\ndata:\n\nretry: 10\n\nid:\n\n") == [
        Event(b"", id="3"),
        Event(retry=10),
        Event(id=""),
    ]


def test_comments_come_where_they_stand() -> None:
    assert parse(b": ping\n\ndata: 1\n:\n\n") == [Comment("ping"), Comment(), Event(b"1")]


def test_what_has_no_meaning_is_passed_over() -> None:
    stream = b"id: a\0b\nretry: soon\nretry: -1\nretry: 9999999999\ncolour: red\nDATA: x\n\n\n"
    assert parse(stream) == []


@pytest.mark.parametrize("odd", ["\x0b", "\x1c", "\x85", "\u2028", "\0"])
def test_a_field_that_some_would_read_as_two_lines_is_passed_over(odd: str) -> None:
    data = f"id: a{odd}b\nevent: a{odd}b\ndata: 1\n\n".encode()
    assert Parser().feed(data) == [Event(b"1")]


def test_a_byte_order_mark_counts_only_at_the_start() -> None:
    assert parse(b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n") == [Event(b"1")]


def test_an_event_cut_off_by_the_end_is_dropped() -> None:
    assert parse(b"data: 1\n") == []


@given(
    st.lists(
        st.sampled_from(
            [b"data: {}", b"\xef\xbb\xbfdata: 1", b"id: 1", b": c", b"", b"event: e", b"data"]
        ),
        max_size=8,
    ),
    st.data(),
)
def test_where_a_stream_is_cut_changes_nothing(lines: list[bytes], data: st.DataObject) -> None:
    ends = [data.draw(st.sampled_from([b"\n", b"\r", b"\r\n"])) for _ in lines]
    stream = b"".join(line + end for line, end in zip(lines, ends, strict=True))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6))
    assert parse(stream, *cuts) == parse(stream)


def test_an_event_over_the_cap_is_refused_before_it_is_whole() -> None:
    parser = Parser(event_max=100)
    assert parser.feed(b"data: " + b"x" * 90 + b"\n\n") == [Event(b"x" * 90)]
    parser.feed(b"data: " + b"x" * 50)
    with pytest.raises(SseError, match="100 bytes"):
        parser.feed(b"\ndata: " + b"x" * 50)


def test_comments_do_not_fill_up_an_event() -> None:
    parser = Parser(event_max=100)
    for _ in range(50):
        assert parser.feed(b": ping\n") == [Comment("ping")]


_JSON = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)
)


@given(_JSON, st.none() | st.from_regex(r"[ -~]*", fullmatch=True), st.none() | st.integers(0, 99))
def test_what_is_encoded_is_read_back_and_is_one_line_to_everybody(
    value: object, name: str | None, retry: int | None
) -> None:
    data = json.dumps(value, ensure_ascii=False).encode()
    wire = encode(Event(data, "message", name, retry))
    (read,) = parse(wire)
    assert isinstance(read, Event)
    assert (read.event, read.id, read.retry) == ("message", name, retry)
    assert json.loads(read.data or b"") == json.loads(data)
    lines = wire.decode().splitlines()  # as clients do that cut by Unicode's rules
    assert lines[-2:] == [f"data: {(read.data or b'').decode()}", ""]


def test_unicode_line_ends_are_escaped_as_json_allows() -> None:
    assert encode(Event('"a\u2028b\u2029c\x85d"'.encode())) == (
        rb'data: "a\u2028b\u2029c\u0085d"' + b"\n\n"
    )


@pytest.mark.parametrize(
    "event",
    [
        Event(b"1\n2"),
        Event(b"1\r2"),
        Event(b"1\n"),
        Event(b"1", id="a\nb"),
        Event(b"1", id="a\n"),
        Event(b"1", id="a\0b"),
        Event(b"1", id="a\u2028data: 2"),
        Event(b"1", event="a\rdata: 2"),
    ],
)
def test_what_would_be_more_than_one_line_is_not_encoded(event: Event) -> None:
    with pytest.raises(ValueError, match="one line"):
        encode(event)
