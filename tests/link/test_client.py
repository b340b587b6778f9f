import asyncio
import socket

import pytest

from mcpwall.engine.port import Done, EngineGoneError, Lockdown, Refused, Stop
from mcpwall.engine.port_rules import Preview
from mcpwall.link import client
from mcpwall.link.client import connect
from mcpwall.link.errors import NoEngineError, OtherVersionError
from tests.link.memory_port import EMPTY, MemoryPort, Wall, notice


def test_snapshot_and_commands_go_through(run, path):
    async def test():
        port = MemoryPort()
        async with Wall(path, port), connect(path) as remote:
            assert await remote.snapshot() == EMPTY
            assert await remote.send(Lockdown(on=True)) == Done("Lockdown")
            assert port.sent == [Lockdown(on=True)]

    run(test())


def test_a_refusal_is_a_reply_and_the_connection_lives_on(run, path):
    async def test():
        port = MemoryPort()

        async def refuse(command):
            return Refused("not now")

        port.answer = refuse
        async with Wall(path, port), connect(path) as remote:
            assert await remote.send(Lockdown(on=True)) == Refused("not now")
            assert await remote.snapshot() == EMPTY

    run(test())


def test_a_feed_resumes_after_a_number_and_brings_what_follows(run, path):
    async def test():
        port = MemoryPort()
        async with Wall(path, port), connect(path) as remote:
            await port.publish(notice("one"))
            await port.publish(notice("two"))
            feed = remote.feed(1)
            first = await anext(feed)
            assert (first.seq, first.events, first.gap) == (2, (notice("two"),), False)
            await port.publish(notice("three"))
            assert (await anext(feed)).events == (notice("three"),)
            await feed.aclose()

    run(test())


def test_an_answer_does_not_wait_for_a_feed_that_nobody_reads(run, path):
    async def test():
        port = MemoryPort()
        async with Wall(path, port), connect(path) as remote:
            feed = remote.feed(0)
            await port.publish(notice("first"))
            await anext(feed)
            for _ in range(100):
                await port.publish(notice("x" * 50_000))
            assert await remote.snapshot() == EMPTY
            await feed.aclose()

    run(test())


def test_leaving_ends_the_feed_in_the_engine(run, path):
    async def test():
        port = MemoryPort()
        async with Wall(path, port):
            async with connect(path) as remote:
                feed = remote.feed(0)
                await port.publish(notice("first"))
                await anext(feed)
                assert port.followers == 1
                await feed.aclose()
            await port.followed_by(0)

    run(test())


def test_an_abandoned_request_does_not_shift_the_answers(run, path):
    async def test():
        port = MemoryPort()
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def slowly(command):
            asked.set()
            await go_on.wait()
            return Done("late")

        async with Wall(path, port), connect(path) as remote:
            port.answer = slowly
            preview = asyncio.ensure_future(remote.send(Preview()))
            await asked.wait()
            preview.cancel()
            with pytest.raises(asyncio.CancelledError):
                await preview
            go_on.set()
            assert await remote.snapshot() == EMPTY

    run(test())


def test_requests_of_many_tasks_get_their_own_answers(run, path):
    async def test():
        port = MemoryPort()
        async with Wall(path, port), connect(path) as remote:
            commands = [Lockdown(on=True), Preview(), Stop()] * 5
            replies = await asyncio.gather(*(remote.send(command) for command in commands))
            assert replies == [Done(type(command).__name__) for command in commands]

    run(test())


def test_nobody_listens(run, path):
    async def test():
        with pytest.raises(NoEngineError, match=r"no engine runs.*`mcpwall` starts one"):
            async with connect(path):
                pass
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.bind(path)  # a socket that its engine left behind
        with pytest.raises(NoEngineError):
            async with connect(path):
                pass

    run(test())


def test_a_socket_path_that_is_too_long_says_what_to_do(run, monkeypatch):
    monkeypatch.setenv("MCPWALL_HOME", "/tmp/" + "x" * 120)

    async def test():
        with pytest.raises(EngineGoneError, match="set MCPWALL_HOME to a shorter directory"):
            async with connect():
                pass

    run(test())


def test_the_engine_dies(run, path):
    async def test():
        port = MemoryPort()
        wall = Wall(path, port)
        async with wall, connect(path) as remote:
            feed = remote.feed(0)
            waiting = asyncio.ensure_future(anext(feed))
            await port.followed_by(1)
            await wall.server.close()
            with pytest.raises(EngineGoneError, match="closed the connection"):
                await waiting
            with pytest.raises(EngineGoneError, match="closed the connection"):
                await remote.snapshot()

    run(test())


def test_an_engine_of_another_version_is_refused_with_what_to_do(run, path, monkeypatch):
    async def test():
        async with Wall(path, MemoryPort()):
            monkeypatch.setattr(client, "__version__", "9.9")
            monkeypatch.setattr("mcpwall.link.errors.__version__", "9.9")
            with pytest.raises(OtherVersionError, match=r"this is mcpwall 9\.9.*`mcpwall stop`"):
                async with connect(path):
                    pass

    run(test())


def test_an_engine_of_another_user_is_refused(run, path, monkeypatch):
    async def test():
        async with Wall(path, MemoryPort()):
            monkeypatch.setattr("mcpwall.link.client.check_peer", _foreign)
            with pytest.raises(EngineGoneError, match="process of user 1"):
                async with connect(path):
                    pass

    run(test())


def _foreign(sock):
    raise client.ForeignPeerError("it is a process of user 1")


def test_what_is_no_engine_is_told_apart(run, path):
    async def test():
        async def babble(reader, writer):
            writer.write(b"SSH-2.0-OpenSSH_9.9\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_unix_server(babble, path):
            with pytest.raises(EngineGoneError, match="cannot talk to the engine"):
                async with connect(path):
                    pass

    run(test())


def test_an_engine_that_does_not_answer_is_given_up(run, path, monkeypatch):
    monkeypatch.setattr(client, "HELLO_S", 0)

    async def test():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
            silent.bind(path)
            silent.listen()
            with pytest.raises(EngineGoneError, match="does not answer"):
                async with connect(path):
                    pass

    run(test())
