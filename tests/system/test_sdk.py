"""The official Python client through the wall, in both eras: calls, a held one, cancellation."""

from __future__ import annotations

import asyncio
import json

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from mcpwall.engine.port import Done
from mcpwall.engine.port_answers import Decide
from mcpwall.link.client import connect
from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import ECHO, environment, wall
from tests.system.conftest import OPEN_RULES

RULES = OPEN_RULES + '\n[[rules]]\nid = "asks"\ntool = "pay"\naction = "ask"\nreason = "money"\n'
ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])


@pytest.fixture
def through(home, rules, tmp_path, monkeypatch):
    """Run a test's coroutine with a client behind the wall and a port to its engine."""
    # it asks for the era first, and takes a server that is longer at starting for an older one
    monkeypatch.setattr("mcp.client.session.DISCOVER_TIMEOUT_SECONDS", LIMIT_S)
    rules(RULES)
    log = tmp_path / "log"
    command = wall("echo", *ECHO)

    def run(test, mode):
        async def both():
            start = StdioServerParameters(
                command=command[0], args=command[1:], env=environment(home, log=log)
            )
            async with (
                asyncio.timeout(LIMIT_S),
                Client(start, mode=mode, cache=None) as client,
                connect(str(home / "state" / "engine.sock")) as port,
            ):
                await test(client, port)

        asyncio.run(both())
        return log.read_bytes()

    return run


async def held(port):
    """The call that waits, as soon as one does."""
    while True:
        snapshot = await port.snapshot()
        if snapshot.held:
            return snapshot.held[0]
        await anext(port.feed(snapshot.seq))


async def released(port):
    """Nothing waits any more."""
    while (snapshot := await port.snapshot()).held:
        await anext(port.feed(snapshot.seq))


@ERAS
def test_p18_calls_lists_and_errors(through, mode):
    async def test(client, port):
        assert client.server_info.name == "echo" or mode == "auto"
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert tools[0] == "echo"
        result = await client.call_tool("echo", {"text": "☃"})
        assert json.loads(result.content[0].text) == {"text": "☃"}
        assert (await client.call_tool("fail", {})).is_error
        (session,) = (await port.snapshot()).sessions
        assert session.protocol == client.protocol_version

    through(test, mode)


@ERAS
def test_a_refusal_is_a_result_that_the_model_reads(through, mode, home):
    rules = home / "config.toml"
    rules.write_text(rules.read_text() + '\n[[rules]]\nid = "no"\ntool = "fail"\naction = "deny"\n')

    async def test(client, port):
        result = await client.call_tool("fail", {})
        assert result.is_error
        assert "mcpwall refused this call. Denied by rule no." in result.content[0].text
        assert result.meta["mcpwall/verdict"]["rules"] == ["no"]

    assert b'"fail"' not in through(test, mode)


@ERAS
def test_a_held_call_is_decided_and_answered(through, mode):
    async def test(client, port):
        call = asyncio.create_task(client.call_tool("pay", {"amount": 5, "to": "bob"}))
        waiting = await held(port)
        assert waiting.arguments == {"amount": 5, "to": "bob"}
        decision = Decide(waiting.row.id, waiting.digest, waiting.revision, allow=True)
        assert isinstance(await port.send(decision), Done)
        assert json.loads((await call).content[0].text) == {"amount": 5, "to": "bob"}

    through(test, mode)


@ERAS
def test_p08_a_cancelled_call_waits_no_more_and_never_runs(through, mode):
    async def test(client, port):
        call = asyncio.create_task(client.call_tool("pay", {"amount": 5}))
        waiting = await held(port)
        call.cancel()
        await released(port)
        decision = Decide(waiting.row.id, waiting.digest, waiting.revision, allow=True)
        assert not isinstance(await port.send(decision), Done)
        assert not (await client.call_tool("echo", {})).is_error

    assert b'"pay"' not in through(test, mode)


@pytest.mark.slow
@ERAS
def test_a_held_call_reports_progress(through, mode):
    async def test(client, port):
        values = []
        first = asyncio.Event()

        async def progress(value, total, message):
            values.append((value, message))
            first.set()

        call = asyncio.create_task(
            client.call_tool("pay", {"amount": 5}, progress_callback=progress)
        )
        waiting = await held(port)
        await first.wait()
        decision = Decide(waiting.row.id, waiting.digest, waiting.revision, allow=True)
        await port.send(decision)
        assert not (await call).is_error
        assert values[0] == (1, "waiting for a person to answer in mcpwall")

    through(test, mode)
