"""The way in opens and closes with the config, and a port that is taken ends nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mcpwall.engine.port import Http
from mcpwall.store.http import HttpConfig
from mcpwall.transport.http.door import AGAIN_NS, Door
from tests.engine.wall import FakeClock

ANY = HttpConfig(listen=(("127.0.0.1", 0),))
OFF = HttpConfig(listen=())


class Told:
    """A door, and what it told."""

    def __init__(self, directory: Path) -> None:
        directory.chmod(0o700)
        self.token = directory / "http.token"
        self.clock = FakeClock()
        self.told: list[Http] = []
        self.door = Door(
            clock=self.clock,
            handler=lambda exchange: exchange.reply(200, {}, b""),
            token_file=str(self.token),
            tell=self.told.append,
        )

    async def asks(self, **headers: str) -> int:
        """The status that a request with the token gets."""
        (address,) = self.told[-1].addresses
        reader, writer = await asyncio.open_connection(*address.split(":"))
        usual = {
            "Host": address,
            "Authorization": f"Bearer {self.token.read_text().strip()}",
            "Connection": "close",
        }
        lines = [f"{name}: {value}" for name, value in (usual | headers).items()]
        writer.write("\r\n".join(["GET /s/git/mcp HTTP/1.1", *lines, "\r\n"]).encode())
        status = int((await reader.read()).split()[1])
        writer.close()
        await writer.wait_closed()
        return status


@pytest.fixture
def at(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_it_opens_and_closes_with_the_config(run, at):
    async def test():
        await at.door.apply(OFF)
        assert at.told == []
        assert not at.token.exists()
        await at.door.apply(ANY)
        await at.door.apply(ANY)
        assert len(at.told) == 1
        assert await at.asks() == 200
        assert await at.asks(Host=at.told[-1].addresses[0].replace("127.0.0.1", "localhost")) == 200
        assert await at.asks(Origin="http://localhost:3000") == 403
        await at.door.apply(HttpConfig(ANY.listen, ("http://localhost:3000",)))
        assert await at.asks(Origin="http://localhost:3000") == 200
        await at.door.apply(OFF)
        assert at.told[-1] == Http()

    run(test())


def test_a_taken_port_is_told_once_and_tried_again(run, at):
    async def test():
        other = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        taken = HttpConfig(listen=(other.sockets[0].getsockname(),))
        await at.door.apply(taken)
        at.clock.advance(AGAIN_NS / 1e9)
        await at.door.apply(taken)
        (told,) = at.told
        assert "cannot listen on 127.0.0.1:" in told.error
        other.close()
        await other.wait_closed()
        await at.door.apply(taken)
        assert len(at.told) == 1
        at.clock.advance(AGAIN_NS / 1e9)
        await at.door.apply(taken)
        assert at.told[-1].error == ""
        assert await at.asks() == 200
        at.door.close()

    run(test())


def test_p17_without_a_safe_token_nobody_gets_in(run, at):
    async def test():
        at.token.write_text("known to all")
        at.token.chmod(0o644)
        await at.door.apply(ANY)
        (told,) = at.told
        assert told.addresses == ()
        assert "others may read it" in told.error

    run(test())
