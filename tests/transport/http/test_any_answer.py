"""Whatever bytes a remote server answers with: its receiver hears of an end, once."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.limits import LIMIT_S
from tests.helpers.remotes import ask, door
from tests.helpers.scripted_server import CLOSE, begin_stream, chunk, head, serving

STATUS = st.sampled_from([100, 101, 200, 202, 204, 206, 301, 304, 307, 308, 401, 404, 500, 999])
VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
NAMED = st.sampled_from(
    ["application/json", "text/event-stream", "text/html", "gzip", "identity", "chunked", "0", "9"]
)
NAMES = st.sampled_from(
    [
        *("Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Location"),
        *("Mcp-Session-Id", "Retry-After", "WWW-Authenticate", "Connection"),
    ]
)
HEADERS = st.dictionaries(NAMES, st.one_of(NAMED, VALUE), max_size=5)
PIECE = st.sampled_from([b"data: {}", b"id: 1", b"retry: 5", b"\r", b"\n", b":"])
BODY = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"data: {}", b"id: 1", b"retry: 5", b"\r", b"\n", b":"])).map(
        b"".join
    ),
)
ANSWER = st.one_of(
    st.lists(st.binary(min_size=1, max_size=50), max_size=4),
    st.builds(lambda status, headers, body: [head(status, headers), body], STATUS, HEADERS, BODY),
    st.lists(BODY, max_size=4).map(lambda parts: [begin_stream(), *map(chunk, parts)]),
)


@settings(max_examples=60)
@given(answer=ANSWER, method=st.sampled_from(["POST", "GET", "DELETE"]))
def test_p13_whatever_a_server_answers_there_is_one_end(answer, method) -> None:
    async def scenario() -> None:
        async with serving([*answer, CLOSE]) as server, door() as wall:
            told = await ask(wall.upstream(server.url, "timeout = 5"), method)
            if told.fault is not None:
                assert told.fault.text.startswith(f"far (http://127.0.0.1:{server.port}) ")
                assert told.fault.text.isprintable()
                assert len(told.fault.text) < 300
            assert len(server.requests) <= 5

    asyncio.run(asyncio.wait_for(scenario(), LIMIT_S))
