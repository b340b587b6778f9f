"""Requests to a remote server: what is sent, and what comes back when all goes well."""

import asyncio
import socket

import pytest

from mcpwall.transport.http import client
from mcpwall.transport.http.sse import Event
from tests.helpers.remotes import ask, begin, door
from tests.helpers.scripted_server import JSON, begin_stream, chunk, reply, serving

ANSWER = b'{"jsonrpc":"2.0","id":1,"result":{}}'


def run(test) -> None:
    asyncio.run(test)


def test_a_json_answer_comes_as_one_event() -> None:
    async def scenario() -> None:
        session = {**JSON, "Mcp-Session-Id": "s-1", "Set-Cookie": "a=b", "Server": "x"}
        async with serving([reply(200, ANSWER, session)]) as server, door() as wall:
            told = await ask(wall.upstream(server.url), body=b'{"id":1}')
            assert (told.status, told.stream, told.events) == (200, False, [Event(ANSWER)])
            assert told.headers == {"content-type": "application/json", "mcp-session-id": "s-1"}
            assert told.fault is None
            asked = server.requests[0]
            assert (asked.method, asked.path, asked.body) == ("POST", "/mcp", b'{"id":1}')
            assert asked.headers["content-type"] == "application/json"
            assert asked.headers["accept"] == "application/json, text/event-stream"
            assert asked.headers["accept-encoding"] == "identity"
            assert wall.notices == []

    run(scenario())


def test_a_connection_is_used_again() -> None:
    async def scenario() -> None:
        stream = [begin_stream(), chunk(b"data: 1\n\n"), chunk(b"")]
        scripts = ([reply(200, ANSWER)], stream, [reply(202)], [reply(404)], [reply(200)])
        async with serving(*scripts) as server, door() as wall:
            far = wall.upstream(server.url)
            assert [(await ask(far)).status for _ in scripts] == [200, 200, 202, 0, 200]
            assert server.connections == 1

    run(scenario())


def test_events_come_as_the_server_sends_them() -> None:
    async def scenario() -> None:
        more = asyncio.Event()
        script = [begin_stream(), chunk(b"id: 7\nretry: 50\n\n"), chunk(b": hi\n\nda"), more]
        script += [chunk(b'ta: {"a":1}\r\n\r\n'), chunk(b"")]
        async with serving(script) as server, door() as wall:
            _, told = begin(wall.upstream(server.url))
            await told.came.wait()
            assert (told.stream, told.events) == (True, [Event(id="7", retry=50)])
            more.set()
            await told.over.wait()
            assert told.events[1:] == [Event(b'{"a":1}')]
            assert told.fault is None

    run(scenario())


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_notification_is_answered_with_nothing(status) -> None:
    async def scenario() -> None:
        async with serving([reply(status)]) as server, door() as wall:
            told = await ask(wall.upstream(server.url))
            assert (told.status, told.stream, told.events, told.fault) == (status, False, [], None)

    run(scenario())


def test_get_and_delete_carry_no_body() -> None:
    async def scenario() -> None:
        stream = [begin_stream(), chunk(b"data: 1\n\n"), chunk(b"")]
        async with serving(stream, [reply(200)]) as server, door() as wall:
            far = wall.upstream(server.url)
            told = await ask(far, "GET", headers={"Last-Event-ID": "9", "Mcp-Session-Id": "s"})
            assert told.events == [Event(b"1")]
            assert (await ask(far, "DELETE")).fault is None
            get, delete = server.requests
            assert (get.method, get.headers["accept"]) == ("GET", "text/event-stream")
            assert (get.headers["last-event-id"], get.headers["mcp-session-id"]) == ("9", "s")
            assert (delete.method, delete.body) == ("DELETE", b"")
            assert "content-type" not in {**get.headers, **delete.headers}

    run(scenario())


def test_p16_nothing_that_a_client_sent_to_the_wall_is_a_credential_further_on() -> None:
    async def scenario() -> None:
        async with serving([reply(200, ANSWER)]) as server, door() as wall:
            far = wall.upstream(server.url, 'headers = { X-Key = "${env:KEY}" }', KEY="k-1")
            given = {
                "Authorization": "Bearer canary",
                "Cookie": "canary",
                "X-Key": "canary",
                "Host": "canary",
                "Content-Type": "canary",
                "Proxy-Authorization": "canary",
                "mcp-method": "tools/call",
                "Mcp-Param-A": "1",
                "MCP-Protocol-Version": "x",
            }
            await ask(far, headers=given)
            headers = server.requests[0].headers
            assert "canary" not in str(headers)
            assert headers["x-key"] == "k-1"
            kept = ("mcp-method", "mcp-param-a", "mcp-protocol-version")
            assert [headers[name] for name in kept] == ["tools/call", "1", "x"]

    run(scenario())


def test_a_request_that_is_given_up_closes_its_connection_and_says_no_more() -> None:
    async def scenario() -> None:
        never = asyncio.Event()
        script = [begin_stream(), chunk(b"data: 1\n\ndata: 2\n\n"), never]
        async with serving(script) as server, door() as wall:
            sending, told = begin(wall.upstream(server.url))
            await told.came.wait()
            sending.close()
            await server.lost.wait()
            assert not told.over.is_set()

    run(scenario())


def test_who_closes_on_an_event_hears_of_no_other() -> None:
    async def scenario() -> None:
        script = [begin_stream(), chunk(b"data: 1\n\ndata: 2\n\n"), asyncio.Event()]
        async with serving(script) as server, door() as wall:
            far = wall.upstream(server.url)
            sending, told = begin(far)
            note = told.event

            def close_at_once(event) -> None:
                note(event)
                sending.close()

            told.event = close_at_once
            await server.lost.wait()
            assert told.events == [Event(b"1")]

    run(scenario())


def test_closing_a_session_gives_all_its_requests_up() -> None:
    async def scenario() -> None:
        async with serving([begin_stream(), asyncio.Event()]) as server, door() as wall:
            far = wall.upstream(server.url)
            _, told = begin(far)
            await told.begun.wait()
            far.close()
            await server.lost.wait()
            assert not told.over.is_set()

    run(scenario())


def test_a_reader_that_pauses_slows_the_server_down() -> None:
    async def scenario() -> None:
        piece = chunk(b"data: " + b"x" * 65_000 + b"\n\n")
        script = [begin_stream(), *[piece] * 400, chunk(b"")]
        async with serving(script) as server, door() as wall:
            sending, told = begin(wall.upstream(server.url))
            await told.begun.wait()
            sending.pause()
            await server.stuck()
            assert server.steps < 400
            assert len(told.events) < 400
            sending.resume()
            await told.over.wait()
            assert len(told.events) == 400
            assert told.fault is None

    run(scenario())


def test_a_connection_notices_that_the_other_side_is_gone_however_quiet_it_is() -> None:
    address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))
    with client._socket(address) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
