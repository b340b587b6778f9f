"""Requests and answers over real sockets: what goes through, and who is too slow or too much."""

from __future__ import annotations

import asyncio

import pytest

from mcpwall.transport.http.connection import BODY_S, BODY_STEP, HEAD_S, IDLE_S, STALL_S
from mcpwall.transport.http.listener import HttpListener, PortError
from tests.engine.wall import FakeClock
from tests.transport.http.web import Web


def test_a_request_is_handed_over_whole_and_its_answer_goes_back(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(web.post(b'{"a":1}', x_one="1 "))
            exchange = await web.next()
            request = exchange.request
            assert (request.method, request.path, request.query) == ("POST", "/s/git/mcp", "")
            assert request.headers["x-one"] == "1"
            assert request.body == b'{"a":1}'
            exchange.reply(200, {"content-type": "application/json"}, b"[]")
            answer = await client.answer()
            assert (answer.status, answer.body) == (200, b"[]")
            assert answer.headers == {"content-type": "application/json", "content-length": "2"}

    run(test())


def test_a_connection_serves_one_request_after_the_other(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            for body in (b"1", b"22"):
                client.send(web.post(body))
                (await web.next()).reply(202, {}, body)
                assert (await client.answer()).body == body

    run(test())


def test_bytes_may_come_one_by_one(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            whole = web.post(b"", content_length=None, transfer_encoding="chunked")
            for byte in whole + b"2\r\n{}\r\n1;a=b\r\n \r\n0\r\n\r\n":
                client.send(bytes([byte]))
                await asyncio.sleep(0)
            exchange = await web.next()
            assert exchange.request.body == b"{} "

    run(test())


def test_an_answer_may_come_piece_by_piece(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(web.post())
            exchange = await web.next()
            exchange.start(200, {"content-type": "text/event-stream"})
            assert (await client.head()).headers == {
                "content-type": "text/event-stream",
                "transfer-encoding": "chunked",
            }
            exchange.write(b"data: 1\n\n")
            assert await client.reader.readexactly(14) == b"9\r\ndata: 1\n\n\r\n"
            exchange.write(b"")
            exchange.end()
            assert await client.reader.readexactly(5) == b"0\r\n\r\n"
            client.send(web.post())
            (await web.next()).reply(204, {}, b"")
            assert (await client.head()).headers == {}

    run(test())


def test_http_1_0_gets_an_answer_that_ends_with_the_connection(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(web.post().replace(b"HTTP/1.1", b"HTTP/1.0"))
            exchange = await web.next()
            exchange.start(200, {})
            exchange.write(b"data: 1\n\n")
            exchange.end()
            assert (await client.head()).headers == {"connection": "close"}
            assert await client.rest() == b"data: 1\n\n"

    run(test())


def test_a_client_that_wants_to_close_is_not_kept(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(web.post(connection="close"))
            (await web.next()).reply(200, {}, b"1")
            assert (await client.answer()).headers["connection"] == "close"
            assert await client.rest() == b""

    run(test())


def test_a_body_that_waits_for_a_word_gets_it_once_its_head_is_let_in(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(web.post(b"12", expect="100-continue")[:-2])
            assert (await client.head()).status == 100
            client.send(b"12")
            assert (await web.next()).request.body == b"12"
            stranger = web.post(b"12", expect="100-continue", authorization=None)[:-2]
            assert (await web.stays_out(stranger)).status == 401

    run(test())


def test_requests_out_of_turn_are_not_taken(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(web.post(b"1") + web.post(b"2"))
            exchange = await web.next()
            exchange.reply(200, {}, exchange.request.body)
            assert (await client.answer()).body == b"1"
            assert await client.rest() == b""
            assert web.exchanges.empty()

            client = await web.client()
            client.send(web.post(b"1"))
            exchange = await web.next()
            gone = asyncio.Event()
            exchange.on_gone = gone.set
            exchange.start(200, {})
            for _ in range(1_000):
                client.send(web.post(b"2"))
            await gone.wait()
            assert web.exchanges.empty()

    run(test())


def test_the_handler_learns_that_the_client_has_gone(run):
    async def test():
        async with Web() as web:
            for started in (True, False):
                client = await web.client()
                client.send(web.post())
                exchange = await web.next()
                gone = asyncio.Event()
                exchange.on_gone = gone.set
                if started:
                    exchange.start(200, {})
                client.close()
                await gone.wait()
                if started:
                    exchange.write(b"1")
                    exchange.end()
                else:
                    exchange.reply(200, {}, b"")

    run(test())


def test_a_client_that_left_after_its_answer_is_not_gone(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(web.post())
            exchange = await web.next()
            exchange.on_gone = lambda: pytest.fail("gone")
            exchange.reply(200, {}, b"1")
            await client.answer()
            client.close()
            other = await web.client()
            other.send(web.post())
            await web.next()

    run(test())


def test_a_slow_reader_is_told_of_and_cut_off_in_the_end(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(web.post())
            exchange = await web.next()
            said: asyncio.Queue[bool] = asyncio.Queue()
            exchange.on_full = said.put_nowait
            gone = asyncio.Event()
            exchange.on_gone = gone.set
            exchange.start(200, {})
            sent = 0
            while said.empty():
                exchange.write(b"x" * 65_536)
                sent += 65_536
            assert await said.get() is True
            web.clock.advance(STALL_S - 1)
            await client.head()
            got = 0
            while got < sent:
                got += (await client.reader.readuntil(b"\r\n")).count(b"x")
            assert await said.get() is False
            web.clock.advance(STALL_S + 1)
            assert not gone.is_set()
            while said.empty():
                exchange.write(b"x" * 65_536)
            web.clock.advance(STALL_S + 1)
            await gone.wait()

    run(test())


# --- time -------------------------------------------------------------------------------------


async def settled() -> None:
    """Let what was sent over this machine's sockets arrive."""
    loop = asyncio.get_running_loop()
    for _ in range(20):
        await loop.run_in_executor(None, int)


@pytest.mark.parametrize("start", [b"", b"POST /s/git/mcp HTTP/1.1\r\nHost: "])
def test_a_head_has_a_few_seconds(run, start):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(start)
            await settled()
            web.clock.advance(HEAD_S + 1)
            told = await client.rest()
            assert told.startswith(b"HTTP/1.1 408 ") if start else told == b""

    run(test())


def test_a_body_has_to_keep_a_pace(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            size = 3 * BODY_STEP
            client.send(web.post(b"x" * size)[:-size])
            await settled()
            for _ in range(2):
                web.clock.advance(BODY_S - 1)
                client.send(b"x" * BODY_STEP)
                await settled()
            client.send(b"x")
            await settled()
            web.clock.advance(BODY_S + 1)
            assert (await client.answer()).status == 408
            assert web.exchanges.empty()

    run(test())


def test_an_idle_connection_is_closed_and_one_that_waits_for_its_answer_is_not(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(web.post())
            exchange = await web.next()
            web.clock.advance(100 * IDLE_S)
            exchange.reply(200, {}, b"1")
            await client.answer()
            web.clock.advance(IDLE_S + 1)
            assert await client.rest() == b""

    run(test())


# --- how many ---------------------------------------------------------------------------------


def test_those_who_are_not_served_make_room_and_the_others_do_not(run):
    async def test():
        async with Web(connections_max=2) as web:
            served = await web.client()
            served.send(web.post())
            exchange = await web.next()
            waiting = await web.client()
            waiting.send(b"POST")
            await settled()
            new = await web.client()
            new.send(web.post())
            other = await web.next()
            assert await waiting.rest() == b""
            late = await web.client()
            assert (await late.answer()).status == 503
            exchange.reply(200, {}, b"1")
            other.reply(200, {}, b"2")
            assert (await served.answer()).body == b"1"
            assert (await new.answer()).body == b"2"

    run(test())


def test_p13_unfinished_bodies_are_bounded_together(run):
    async def test():
        async with Web(bodies_max=1_000) as web:
            whole = web.post(b"x" * 800)
            first, second = await web.client(), await web.client()
            first.send(whole[:-100])
            await settled()
            second.send(whole[:-100])
            assert (await second.answer()).status == 503
            first.send(whole[-100:])
            (await web.next()).reply(200, {}, b"1")
            assert (await first.answer()).status == 200
            for _ in range(2):  # what was refused, cut off or handed on takes up nothing
                third = await web.client()
                third.send(whole[:-100])
                await settled()
                third.close()
                await settled()
            first.send(whole)
            assert (await web.next()).request.body == b"x" * 800

    run(test())


def test_closing_ends_every_connection(run):
    async def test():
        async with Web() as web:
            idle = await web.client()
            served = await web.client()
            served.send(web.post())
            exchange = await web.next()
            gone = asyncio.Event()
            exchange.on_gone = gone.set
            web.listener.close()
            assert await idle.rest() == b""
            assert await served.rest() == b""
            await gone.wait()
            with pytest.raises(OSError, match=r"refused|Connect call failed"):
                await web.client()

    run(test())


def test_a_port_that_is_taken_is_named(run):
    async def test():
        async with Web() as web:
            listener = HttpListener(clock=FakeClock(), handler=lambda _: None)
            with pytest.raises(PortError, match=rf"{web.host}: .*\[http\] listen"):
                await listener.open([("127.0.0.1", 0), web.address])
            assert listener.addresses == ()

    run(test())
