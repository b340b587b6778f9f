"""A server is forgotten at an app's word: real sessions, a real engine, and the one after it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mcpwall.engine.port import Done, Refused, Reply
from mcpwall.engine.port_servers import ForgetServer
from mcpwall.link.client import connect
from tests.helpers.programs import mcpwall, status
from tests.system.processes import kill_engine, snapshot, wait_for


def forget(home: Path) -> Reply:
    """An app has the only server forgotten, as it is shown."""
    (server,) = snapshot(home).servers

    async def order() -> Reply:
        async with connect(str(home / "state" / "engine.sock")) as port:
            return await port.send(ForgetServer(server.name, server.hash))

    return asyncio.run(order())


def test_p07_a_server_is_forgotten_once_its_agents_have_left_and_for_good(home, agent):
    with agent() as client:
        client.open()
        client.request("tools/list")
        assert isinstance(forget(home), Refused)
        client.finish()
    assert isinstance(forget(home), Done)
    assert status(home)["servers"] == []
    assert "echo  forgotten by a person" in mcpwall(home, "tools", "--history")
    kill_engine(home)
    with agent(server="other") as client:
        client.open()
        names = wait_for(lambda: [server["name"] for server in status(home)["servers"]], "a server")
        assert names == ["other"]
