"""Where a request goes, and where its credentials never do."""

import asyncio

import pytest

from mcpwall.transport.http.remote import Trouble
from tests.helpers.remotes import ask, door
from tests.helpers.scripted_server import reply, serving

KEYS = "headers = { Authorization = 'Bearer canary-1', X-Key = 'canary-2' }"
FOUND = [reply(200, b"{}")]


def moved(to: str, status: int = 307) -> list[bytes]:
    return [reply(status, b"", {"Location": to})]


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("to", ["/other?x=1", "other?x=1", "http://127.0.0.1:{port}/other?x=1"])
def test_a_redirect_within_the_origin_is_followed_with_all_that_was_sent(status, to) -> None:
    async def scenario() -> None:
        async with serving() as server, door() as wall:
            server.play(moved(to.format(port=server.port), status), FOUND)
            told = await ask(wall.upstream(server.url, KEYS), body=b"[1]")
            assert told.fault is None
            first, second = server.requests
            assert (second.method, second.path, second.body) == ("POST", "/other?x=1", b"[1]")
            assert second.headers["authorization"] == first.headers["authorization"]

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_change_the_request_is_not_followed(status) -> None:
    async def scenario() -> None:
        async with serving(moved("/other", status), FOUND) as server, door() as wall:
            told = await ask(wall.upstream(server.url))
            assert told.fault is not None
            assert told.fault.trouble is Trouble.REDIRECT
            assert not told.fault.may_have_run
            assert len(server.requests) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1:{other}/mcp",
        "//127.0.0.1:{other}/mcp",
        "http://localhost:{port}/mcp",
        "http://127.0.0.1:{port}@127.0.0.1:{other}/mcp",
        "http://127.0.0.1:{other}\\@127.0.0.1:{port}/mcp",
        "http://127.0.0.1:{other}#@127.0.0.1:{port}/mcp",
        "http://127.0.0.1:{other}?@127.0.0.1:{port}/mcp",
        "https://127.0.0.1:{port}/mcp",
        "http://canary-3:x@127.0.0.1:{port}/mcp",
        "ftp://127.0.0.1:{port}/mcp",
        "\\\\127.0.0.1:{other}/mcp",
        "http:///127.0.0.1:{other}/mcp",
        "http://[::1/",
        "",
    ],
)
def test_p16_a_redirect_to_another_origin_carries_no_credential(to) -> None:
    async def scenario() -> None:
        async with serving(FOUND) as other, serving() as server, door() as wall:
            server.play(moved(to.format(port=server.port, other=other.port)))
            told = await ask(wall.upstream(server.url, KEYS))
            assert told.fault is not None
            assert told.fault.trouble in (Trouble.REDIRECT, Trouble.GONE)
            assert other.requests == []
            assert "canary" not in told.fault.text + str(wall.notices)

    asyncio.run(scenario())


def test_the_address_of_another_origin_is_told() -> None:
    async def scenario() -> None:
        there = moved("https://new.example.com/secret/path")
        async with serving(there) as server, door() as wall:
            told = await ask(wall.upstream(server.url, KEYS))
            assert told.fault is not None
            assert told.fault.text == (
                f"far (http://127.0.0.1:{server.port}) redirects to https://new.example.com, where "
                "the wall does not follow with its credentials; if that is right, put the new "
                "address into its url in the config"
            )

    asyncio.run(scenario())


def test_redirects_have_an_end() -> None:
    async def scenario() -> None:
        async with serving(moved("/round")) as server, door() as wall:
            told = await ask(wall.upstream(server.url))
            assert told.fault is not None
            assert told.fault.trouble is Trouble.REDIRECT
            assert len(server.requests) == 5

    asyncio.run(scenario())
