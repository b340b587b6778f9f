"""How a stream goes on after it ended."""

from mcpwall.transport.http.resume import RETRY_MAX_S, Resumption
from mcpwall.transport.http.sse import Event


def test_a_stream_goes_on_after_the_last_event_that_had_an_id() -> None:
    stream = Resumption()
    assert stream.headers() == {}
    for event in (Event(b"1", id="a"), Event(b"2"), Event(b"3", id="b"), Event(b"4")):
        stream.saw(event)
    assert stream.headers() == {"Last-Event-ID": "b"}


def test_an_empty_id_takes_it_back() -> None:
    stream = Resumption()
    stream.saw(Event(id="a"))
    stream.saw(Event(id=""))
    assert stream.headers() == {}


def test_an_id_that_no_header_takes_is_not_sent() -> None:
    stream = Resumption()
    for odd in ("a\x1b", "ä", "x" * 5000):
        stream.saw(Event(id=odd))
        assert stream.headers() == {}


def test_the_server_says_how_long_to_wait() -> None:
    stream = Resumption()
    assert stream.ended() == 1.0
    stream.saw(Event(retry=250))
    assert stream.ended() == 0.25
    stream.saw(Event(retry=10**8))
    assert stream.ended() == RETRY_MAX_S


def test_without_an_event_between_each_try_waits_twice_as_long() -> None:
    stream = Resumption()
    assert [stream.ended() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    stream.saw(Event(b"1"))
    assert stream.ended() == 1.0
    for _ in range(5000):
        assert stream.ended() <= RETRY_MAX_S
