"""The pretend server, as the official client and a raw one see it."""

import asyncio
import sys
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from mcpwall.demo.story import AGENTS
from mcpwall.demo.tools import TOOLS, answer
from tests.helpers.programs import environment
from tests.helpers.raw_client import HANDSHAKE, STATELESS, RawClient

SERVER = (sys.executable, "-P", "-m", "mcpwall.demo.server")


def raw(protocol: str, server: str = "postgres") -> RawClient:
    return RawClient([*SERVER, server], env=environment(), protocol=protocol)


@pytest.mark.parametrize(("mode", "version"), [("legacy", HANDSHAKE), ("auto", STATELESS)])
def test_the_official_client_takes_it_for_a_server(mode: str, version: str) -> None:
    start = StdioServerParameters(
        command=SERVER[0], args=[*SERVER[1:], "filesystem"], env=environment()
    )

    async def use() -> tuple[Any, ...]:
        async with Client(start, mode=mode, cache=None) as client:
            tools = await client.list_tools()
            read = await client.call_tool("read_file", {"path": "Makefile"})
            return client.protocol_version, client.server_info.name, tools.tools, read

    spoken, name, tools, read = asyncio.run(use())
    assert (spoken, name) == (version, "demo-filesystem")
    assert [tool.name for tool in tools] == [entry["name"] for entry in TOOLS["filesystem"]]
    assert (read.is_error, read.content[0].text) == (False, "(the text of Makefile)")


@pytest.mark.parametrize("protocol", [HANDSHAKE, STATELESS])
def test_results_and_errors_have_the_form_of_their_era(protocol: str) -> None:
    with raw(protocol) as client:
        client.open()
        failing = client.call("query", {"sql": "SELECT * FROM login_archive"})["result"]
        assert failing["isError"]
        assert ("resultType" in failing) is (protocol == STATELESS)
        assert client.call("drop")["error"]["code"] == -32602
        assert client.request("prompts/list")["error"]["code"] == -32601
        assert client.request("ping")["result"] is not None
        assert client.finish() == 0
    assert client.unmatched == []


def test_a_version_that_it_does_not_know_is_answered_with_its_newest() -> None:
    with raw("2025-01-01") as client:
        assert client.open()["protocolVersion"] == HANDSHAKE


@pytest.mark.parametrize("name", AGENTS)
def test_the_story_calls_tools_as_they_were_listed(name: str) -> None:
    for step in AGENTS[name].steps:
        [listed] = [tool for tool in TOOLS[step.server] if tool["name"] == step.tool]
        assert set(step.arguments) == set(listed["inputSchema"]["required"])
        assert answer(step.server, step.tool, step.arguments).failed is (step.outcome == "failed")
