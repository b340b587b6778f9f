"""A port that stays while engines come and go."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from mcpwall.cli import app
from mcpwall.engine import port, port_rules
from mcpwall.link import lasting
from mcpwall.link.lasting import LastingPort
from tests.tui.fake_port import FakePort
from tests.tui.scenes import busy, empty

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Engines:
    """Stands for `link.client.connect`: the engines that can be reached, one after the other."""

    def __init__(self, *engines: FakePort | port.EngineGoneError) -> None:
        self.engines = list(engines)
        self.closed = 0

    @asynccontextmanager
    async def __call__(self, path: str | None, role: str) -> AsyncIterator[FakePort]:
        assert (path, role) == ("/a/socket", "app")
        engine = self.engines.pop(0)
        if isinstance(engine, port.EngineGoneError):
            raise engine
        yield engine
        self.closed += 1


def test_a_snapshot_connects_again_where_the_engine_went(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        first, second = FakePort(busy()), FakePort(empty())
        engines = Engines(first, port.EngineGoneError("no engine runs"), second)
        monkeypatch.setattr(lasting, "connect", engines)
        remote = LastingPort("/a/socket")
        with pytest.raises(port.EngineGoneError, match="not connected"):
            await remote.send(port_rules.Undo())
        assert (await remote.snapshot()).rows
        assert isinstance(await remote.send(port_rules.Undo()), port.Done)
        await first.break_off("gone")
        with pytest.raises(port.EngineGoneError, match="no engine runs"):
            await remote.snapshot()
        assert engines.closed == 1
        assert not (await remote.snapshot()).rows
        assert isinstance(await remote.send(port_rules.Undo()), port.Done)
        assert second.sent == [port_rules.Undo()]

    asyncio.run(scene())


def test_the_connection_is_closed_before_the_app_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = Engines(FakePort(busy()))
    monkeypatch.setattr(lasting, "connect", engines)
    remote = LastingPort("/a/socket")

    class Attached:
        async def run_async(self) -> None:
            await remote.snapshot()
            assert engines.closed == 0

    asyncio.run(app._attended(Attached(), remote))  # type: ignore[arg-type] # it runs, no more
    assert engines.closed == 1
