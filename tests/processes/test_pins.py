"""Pins as they are met: a real server that changes a tool under an agent, and killed engines."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mcpwall.engine.port import Command, Done, EngineGoneError, Reply
from mcpwall.engine.port_tools import (
    AcceptServer,
    AcceptTool,
    Inspect,
    Inspected,
    Pin,
    ServerRow,
    ToolRow,
)
from mcpwall.link.client import connect
from mcpwall.link.wire import Role
from tests.helpers.programs import mcpwall
from tests.processes.test_wall import ALLOW, kill_engine, received, refused, session


def order(home: Path, command: Command, role: Role = "app") -> Reply:
    """What an app orders, or another client."""

    async def send() -> Reply:
        async with connect(str(home / "state" / "engine.sock"), role) as port:
            return await port.send(command)

    return asyncio.run(send())


def server_row(home: Path) -> ServerRow:
    async def look() -> ServerRow:
        async with connect(str(home / "state" / "engine.sock")) as port:
            (server,) = (await port.snapshot()).servers
            return server

    return asyncio.run(look())


def plain(home: Path) -> ToolRow:
    (row,) = (each for each in server_row(home).tools if each.name == "plain")
    return row


def test_p07_a_tool_that_changed_runs_again_once_a_person_accepted_it(
    home: Path, tmp_path: Path
) -> None:
    (home / "config.toml").write_text(ALLOW)
    log = tmp_path / "log"
    with session(home, log=log, page=4) as client:
        assert refused(client.call("plain", {"n": 1})) is None
        client.call("change_tools")
        verdict = refused(client.call("plain", {"n": 2}))
        assert verdict is not None
        assert verdict["cause"] == "unlisted"
        assert "changed its definition" in verdict["reason"]
        assert refused(client.call("echo", {"text": "others go on"})) is None

        kill_engine(home)
        assert refused(client.call("plain", {"n": 3})) is not None

        shown = plain(home)
        assert shown.pin is Pin.CHANGED
        told = order(home, Inspect("echo", "plain"))
        assert isinstance(told, Inspected)
        assert told.differences
        accept = AcceptTool("echo", "plain", shown.hash)
        with pytest.raises(EngineGoneError, match="decide and edit in the app"):
            order(home, accept, role="cli")
        assert refused(client.call("plain", {"n": 4})) is not None
        assert order(home, accept) == Done("accepted")
        assert refused(client.call("plain", {"n": 5})) is None
    with session(home, log=log) as client:  # another process of the server, as it was before
        assert refused(client.call("plain", {"n": 6})) is not None
        assert order(home, AcceptServer("echo", server_row(home).hash)) == Done("accepted")
        assert refused(client.call("plain", {"n": 7})) is None
    reached = [call["params"] for call in received(log)]
    assert [p["arguments"]["n"] for p in reached if p["name"] == "plain"] == [1, 5, 7]
    history = mcpwall(home, "tools", "--history", "echo").splitlines()
    said = [line.split("  ")[2] for line in history if "echo.plain" in line]
    again = ["changed", "accepted by a person"]
    assert said == ["first seen", *again, *again]
    assert "heads fit" in mcpwall(home, "audit", "verify")
