"""One request from bytes: however they are cut, and whatever they are."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.transport.http.exchange import Request
from mcpwall.transport.http.reading import HEAD_MAX, Reader, RefusedError

WHOLE = (
    b"POST /s/git/mcp?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX:  y \r\n\r\n{}",
    (
        b"POST /s/git/mcp HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1\r\n{\r\n1;a=b\r\n}\r\n0\r\n\r\n"
    ),
    b"GET /s/git/mcp HTTP/1.0\r\nEmpty:\r\nAccept: a\r\naccept: b\r\n\r\n",
)
BROKEN = (
    b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: x\nHost: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: 1\r\nx: 2\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: y\r\n\r\n",
)
PIECES = st.lists(
    st.sampled_from(
        [
            *(b"GET", b"POST", b" ", b"/", b"/s/git/mcp", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n"),
            *(b"\r", b"Host: x", b"Content-Length: 2", b"Transfer-Encoding: chunked", b":", b"\0"),
            *(b"2\r\n{}\r\n", b"0\r\n\r\n", b"{}", b"\xff", b"\t", b"X: y", b"Upgrade: h2c", b"-1"),
        ]
    )
)


def read(data: bytes, *cuts: int) -> tuple[Request | None, bool]:
    """The request and whether something came behind it. Raises RefusedError."""
    reader = Reader()
    for start, end in itertools.pairwise([0, *sorted(cuts), len(data)]):
        if data[start:end]:
            reader.feed(data[start:end])
    return (reader.request() if reader.whole else None), reader.extra


CUTS = st.lists(st.integers(0, 120), max_size=8)


@given(st.sampled_from(WHOLE), CUTS)
def test_where_a_request_is_cut_changes_nothing(data: bytes, cuts: list[int]) -> None:
    request, extra = read(data, *(cut for cut in cuts if cut < len(data)))
    assert (request, extra) == read(data)
    assert request is not None


@given(st.sampled_from(BROKEN), CUTS)
def test_p16_what_is_refused_is_refused_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    with pytest.raises(RefusedError):
        read(data, *(cut for cut in cuts if cut < len(data)))


@given(st.sampled_from(WHOLE), PIECES.map(b"".join), CUTS)
def test_what_stands_behind_a_request_does_not_change_it(
    data: bytes, rest: bytes, cuts: list[int]
) -> None:
    request, extra = read(data + rest, *(cut for cut in cuts if cut < len(data)))
    assert request == read(data)[0]
    assert extra or not rest.strip(b"\r\n")


@given(st.binary(max_size=300) | PIECES.map(b"".join), CUTS)
def test_p13_whatever_comes_is_a_request_or_is_refused(data: bytes, cuts: list[int]) -> None:
    with contextlib.suppress(RefusedError):
        request, _ = read(data, *(cut for cut in cuts if cut < len(data)))
        assert request is None or request.path.startswith("/")


def test_p13_a_head_without_an_end_is_not_kept() -> None:
    reader = Reader()
    reader.feed(b"POST / HTTP/1.1\r\nX: ")
    for _ in range(HEAD_MAX // 1_024 - 1):
        reader.feed(b"y" * 1_024)
    with pytest.raises(RefusedError, match="32,768 bytes"):
        reader.feed(b"y" * 1_024)
