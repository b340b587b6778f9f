"""The official Python client by URL: real engine, real servers, both eras."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from mcpwall.engine.port import Done
from mcpwall.engine.port_answers import Decide
from mcpwall.link.client import connect
from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import ECHO, environment, mcpwall
from tests.system.conftest import OPEN_RULES
from tests.system.processes import group, snapshot
from tests.system.test_sdk import held

RULES = f"""{OPEN_RULES}
[http]
listen = "127.0.0.1:0"

[servers.echo]
command = {json.dumps(list(ECHO))}

[[rules]]
id = "asks"
tool = "pay"
action = "ask"

[[rules]]
id = "no"
tool = "fail"
action = "deny"
"""
ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])


@pytest.fixture
def engine(home, rules):
    """An engine that listens for agents by URL."""
    rules(RULES)
    command = [sys.executable, "-m", "mcpwall", "engine"]
    with subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE) as process:
        assert b"listening" in process.stdout.readline()
        yield process
        process.terminate()


@pytest.fixture
def through(engine, home):
    """Run a test's coroutine with a client by URL and a port to the engine."""

    def run(test, mode):
        told = json.loads(mcpwall(home, "url", "echo", "--json"))

        async def both():
            async with (
                asyncio.timeout(LIMIT_S),
                httpx2.AsyncClient(headers=told["headers"], timeout=LIMIT_S) as http,
                Client(
                    streamable_http_client(told["url"], http_client=http), mode=mode, cache=None
                ) as client,
                connect(str(home / "state" / "engine.sock")) as port,
            ):
                await test(client, port)

        asyncio.run(both())

    return run


@ERAS
def test_p18_calls_lists_and_progress(through, mode):
    async def test(client, port):
        assert client.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
        assert (await client.list_tools()).tools[0].name == "echo"
        result = await client.call_tool("echo", {"text": "☃"})
        assert json.loads(result.content[0].text) == {"text": "☃"}
        seen = []

        async def progress(value, total, message):
            seen.append(value)

        await client.call_tool("steps", {"steps": 3}, progress_callback=progress)
        assert seen == [1, 2, 3]
        letters = await client.call_tool("blob", {"bytes": 1 << 20})
        assert len(letters.content[0].text) == 1 << 20
        assert "no" in (await client.call_tool("fail", {})).content[0].text

    through(test, mode)


@ERAS
def test_a_held_call_goes_when_a_person_allows_it(through, mode):
    async def test(client, port):
        call = asyncio.create_task(client.call_tool("pay", {"amount": 5}))
        waiting = await held(port)
        decision = Decide(waiting.row.id, waiting.digest, waiting.revision, allow=True)
        assert isinstance(await port.send(decision), Done)
        assert json.loads((await call).content[0].text) == {"amount": 5}

    through(test, mode)


def test_servers_end_with_the_engine(through, engine, home):
    pids = []

    async def test(client, port):
        await client.call_tool("echo", {})
        pids.extend(session.pid for session in snapshot(home).sessions)
        assert group(pids[0]) == pids
        engine.terminate()
        await asyncio.to_thread(engine.wait, LIMIT_S)

    through(test, "legacy")
    assert group(pids[0]) == []


def test_a_killed_engine_leaves_no_server_behind(through, engine, home):
    pids = []

    async def test(client, port):
        pids.extend(session.pid for session in snapshot(home).sessions)
        engine.kill()
        while group(pids[0]):  # noqa: ASYNC110 - another process ends
            await asyncio.sleep(0.01)

    through(test, "legacy")
    assert pids
