import asyncio
import json

import pytest

import mcpwall
from mcpwall.engine.port import Done, EngineGoneError, Lockdown, Stop
from mcpwall.engine.port_answers import Decide
from mcpwall.engine.port_calls import Details
from mcpwall.engine.port_rules import Preview, PutRule, ToggleRule, Undo
from mcpwall.link import wire
from mcpwall.link.client import connect
from mcpwall.link.server import CLIENTS_MAX
from tests.link.memory_port import EMPTY, MemoryPort, Wall, notice, raw, read_all


def hello(version: str = mcpwall.__version__, role: wire.Role = "app") -> bytes:
    return wire.request(1, "hello", wire.Hello(version, role))


async def say(sock, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(sock, data)


async def hear(sock) -> dict:
    """One line. Reads byte by byte, so that nothing of the next line is taken."""
    line = b""
    while not line.endswith(b"\n"):
        line += await asyncio.get_running_loop().sock_recv(sock, 1)
    return json.loads(line)


# --- requests ---------------------------------------------------------------------------------


def test_requests_that_come_in_one_piece_are_answered_in_order(run, path):
    async def test():
        async with Wall(path, MemoryPort()):
            with raw(path) as app:
                lines = [hello(), wire.request(2, "snapshot"), wire.request(3, "send", Stop())]
                await say(app, b"".join(lines))
                assert [(await hear(app))["id"] for _ in lines] == [1, 2, 3]

    run(test())


def test_a_request_may_come_byte_by_byte(run, path):
    async def test():
        async with Wall(path, MemoryPort()):
            with raw(path) as app:
                for byte in hello() + wire.request(2, "snapshot"):
                    await say(app, bytes([byte]))
                    await asyncio.sleep(0)
                assert (await hear(app))["id"] == 1
                snapshot = await hear(app)
                assert snapshot["result"]["status"]["pid"] == EMPTY.status.pid

    run(test())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"garbage\n", wire.PARSE_ERROR),
        (b"\n", wire.PARSE_ERROR),
        (b"[]\n", wire.INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","method":"snapshot"}\n', wire.INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":2,"result":{}}\n', wire.INVALID_REQUEST),
        (wire.request(2, "eval"), wire.METHOD_NOT_FOUND),
        (wire.request(2, "send"), wire.INVALID_PARAMS),
        (wire.request(2, "send", wire.Follow(1)), wire.INVALID_PARAMS),
        (wire.request(2, "feed"), wire.INVALID_PARAMS),
        (b"x" * (wire.REQUEST_MAX + 1), wire.INVALID_REQUEST),
        (b"x" * (wire.REQUEST_MAX + 1) + b"\n", wire.INVALID_REQUEST),
    ],
)
def test_what_is_no_request_gets_an_error_and_the_end(run, path, said, code):
    async def test():
        port = MemoryPort()
        async with Wall(path, port):
            with raw(path) as app:
                await say(app, hello())
                await hear(app)
                sending = asyncio.ensure_future(say(app, said))
                *_, last = (await read_all(app)).splitlines()
                await asyncio.gather(sending, return_exceptions=True)
                assert json.loads(last)["error"]["code"] == code
            assert port.sent == []
            async with connect(path) as other:
                assert await other.snapshot() == EMPTY

    run(test())


def test_who_does_not_say_hello_is_served_nothing(run, path):
    async def test():
        port = MemoryPort()
        async with Wall(path, port):
            with raw(path) as app:
                await say(app, wire.request(1, "send", Lockdown(on=True)))
                answer = json.loads(await read_all(app))
                assert answer["error"]["code"] == wire.INVALID_REQUEST
            assert port.sent == []

    run(test())


def test_half_a_request_at_the_end_is_not_carried_out(run, path):
    async def test():
        port = MemoryPort()
        async with Wall(path, port):
            with raw(path) as app:
                await say(app, hello() + wire.request(2, "send", Stop()).rstrip())
                app.shutdown(1)
                (only,) = (await read_all(app)).splitlines()
                assert json.loads(only)["id"] == 1
            assert port.sent == []

    run(test())


def test_a_failing_engine_says_so_and_serves_on(run, path, caplog):
    async def test():
        port = MemoryPort()

        async def fail(command):
            raise ZeroDivisionError

        port.answer = fail
        async with Wall(path, port):
            async with connect(path) as one:
                with pytest.raises(EngineGoneError, match="ZeroDivisionError in the engine"):
                    await one.send(Undo())
            async with connect(path) as other:
                assert await other.snapshot() == EMPTY

    run(test())
    assert "ZeroDivisionError" in caplog.text


def test_an_ending_engine_says_why(run, path):
    async def test():
        port = MemoryPort()

        async def ends(command):
            raise EngineGoneError("the engine is being stopped")

        port.answer = ends
        async with Wall(path, port), connect(path) as remote:
            with pytest.raises(EngineGoneError, match="is being stopped"):
                await remote.send(Undo())

    run(test())


# --- versions and roles -----------------------------------------------------------------------


def test_another_version_may_stop_the_engine_and_nothing_else(run, path):
    async def test():
        port = MemoryPort()
        async with Wall(path, port):
            with raw(path) as app:
                await say(app, hello("0.0.1") + wire.request(2, "send", Stop()))
                assert (await hear(app))["result"]["version"] == mcpwall.__version__
                assert (await hear(app))["result"]["type"] == "done"
                await say(app, wire.request(3, "snapshot"))
                refusal = (await hear(app))["error"]
                assert refusal["code"] == wire.OTHER_VERSION
                assert "this is mcpwall 0.0.1" in refusal["message"]
                assert "`mcpwall stop`" in refusal["message"]
            assert port.sent == [Stop()]

    run(test())


@pytest.mark.parametrize(
    "command",
    [
        Decide(1, "d", 1, allow=True),
        PutRule({}),
        ToggleRule("r", enabled=False),
        Lockdown(on=False),
        Undo(),
    ],
)
def test_the_command_line_neither_decides_nor_edits(run, path, command):
    async def test():
        port = MemoryPort()
        async with Wall(path, port):
            async with connect(path, role="cli") as remote:
                with pytest.raises(EngineGoneError, match="decide and edit in the app"):
                    await remote.send(command)
            assert port.sent == []

    run(test())


@pytest.mark.parametrize("command", [Preview(), Details(1), Stop()])
def test_the_command_line_looks_and_stops(run, path, command):
    async def test():
        async with Wall(path, MemoryPort()), connect(path, role="cli") as remote:
            assert await remote.send(command) == Done(type(command).__name__)
            assert await remote.snapshot() == EMPTY

    run(test())


# --- slow and many clients --------------------------------------------------------------------


def test_p13_a_client_that_does_not_read_gets_a_gap_and_delays_nobody(run, path):
    async def test():
        port = MemoryPort(kept=20)
        async with Wall(path, port), connect(path) as quick:
            with raw(path) as stuck:
                await say(stuck, hello() + wire.request(2, "feed", wire.Follow(0)))
                await hear(stuck)
                await hear(stuck)
                feed = quick.feed(0)
                for number in range(1, 401):
                    await port.publish(notice("x" * 10_000))
                    batch = await anext(feed)
                    assert (batch.seq, batch.gap) == (number, False)
                # 4 MB were published; the stuck client was sent what its buffers took, no more
                assert port.batches < 400 + 100
                gap = await hear(stuck)
                while not gap["params"]["gap"]:
                    gap = await hear(stuck)
                assert gap["params"]["seq"] == 400
                await feed.aclose()

    run(test())


def test_p13_a_client_that_does_not_read_answers_delays_nobody(run, path):
    async def test():
        port = MemoryPort()
        await port.publish(notice("x"))
        async with Wall(path, port), connect(path) as quick:
            with raw(path) as stuck:
                await say(stuck, hello())
                stuck.setblocking(False)
                asked = b"".join(wire.request(number, "snapshot") for number in range(2, 5000))
                sending = asyncio.ensure_future(say(stuck, asked))
                for _ in range(50):
                    assert await quick.snapshot() == EMPTY
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    run(test())


def test_clients_beyond_the_limit_are_told(run, path):
    async def test():
        port = MemoryPort()
        async with Wall(path, port), asyncio.TaskGroup() as group:
            leave = asyncio.Event()

            async def stay(here: asyncio.Event) -> None:
                async with connect(path):
                    here.set()
                    await leave.wait()

            for _ in range(CLIENTS_MAX):
                here = asyncio.Event()
                group.create_task(stay(here))
                await here.wait()
            with pytest.raises(EngineGoneError, match=f"{CLIENTS_MAX} clients are attached"):
                async with connect(path):
                    pass
            leave.set()

    run(test())


def test_closing_ends_every_connection(run, path):
    async def test():
        wall = Wall(path, MemoryPort())
        async with wall:
            with raw(path) as one, raw(path) as two:
                await say(one, hello())
                await say(two, hello() + wire.request(2, "feed", wire.Follow(0)))
                await hear(one)
                await hear(two)
                await wall.port.followed_by(1)
                await wall.server.close()
                assert wall.port.followers == 0
                assert await read_all(one) == b""
                *_, feed = (await read_all(two)).splitlines()
                assert json.loads(feed)["id"] == 2

    run(test())
