"""Servers that the engine starts for agents by HTTP: real processes, the test's clock."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mcpwall.engine.port_sessions import SessionRow
from mcpwall.engine.views import session_row
from mcpwall.store.schema import ServerConfig
from mcpwall.transport.http.agents import Agents
from mcpwall.transport.http.child_end import ChildEnd, Children
from mcpwall.transport.http.session import HttpSession
from tests.engine.wall import RULES, Wall, call
from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import ECHO
from tests.system.processes import group
from tests.transport.http.agent import Agent, Desk, FakeExchange


async def until(holds: Callable[[], object]) -> None:
    """Wait for what another process does; the test's own limit ends it."""
    while not holds():  # noqa: ASYNC110 - what changes it is another process
        await asyncio.sleep(0.002)


class Real(Desk):
    """A desk whose servers are echo servers."""

    def __init__(self, path: Path, **echo: object) -> None:
        self.wall = Wall(path, f'{RULES}\n[servers.notes]\ncommand = ["x"]\n')
        self.logs = path / "servers"
        self.children = Children(self.wall.engine, self.logs)
        env = {f"ECHO_{name.upper()}": str(value) for name, value in echo.items()}
        self._config = ServerConfig(ECHO, env, str(path))
        self.started: list[ChildEnd] = []
        self.agents = Agents(self.wall.engine, self._start)

    def _start(self, session: HttpSession, name: str, server: Any) -> ChildEnd:
        self.started.append(self.children.start(session, name, self._config))
        return self.started[-1]

    def sessions(self) -> list[SessionRow]:
        """The sessions that live."""
        return [session_row(live) for live in self.wall.engine.sessions.values()]

    async def opened(self) -> RealAgent:
        agent = RealAgent(self, "2025-11-25", "raw")
        await agent.greet()
        return agent


class RealAgent(Agent):
    async def greet(self) -> None:
        hello = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        }
        message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
        opened = await self.whole(message)
        self.sent["mcp_session_id"] = opened.headers["mcp-session-id"]
        await self.whole({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def whole(self, message: Any) -> FakeExchange:
        answer = self.asks(message)
        await until(lambda: answer.over)
        return answer


def test_a_call_reaches_a_process_of_the_session_s_own(tmp_path, run):
    async def body() -> None:
        desk = Real(tmp_path)
        one, two = await desk.opened(), await desk.opened()
        first = await one.whole(call(1, "echo", {"text": "hi"}))
        second = await two.whole(call(1, "echo", {"text": "hi"}))
        assert "hi" in first.json()["result"]["content"][0]["text"]
        assert first.json() == second.json()
        pids = {end.child.pid for end in desk.started}
        assert len(pids) == 2
        assert pids == {session.pid for session in desk.sessions()}
        desk.agents.close("over")
        await desk.children.close()
        assert not any(group(pid) for pid in pids)

    run(body())


def test_progress_makes_the_answer_a_stream(tmp_path, run):
    async def body() -> None:
        desk = Real(tmp_path)
        agent = await desk.opened()
        answer = await agent.whole(call(1, "steps", {"steps": 2}, progressToken="t"))
        assert [each.get("method", "answer") for each in answer.messages()] == [
            "notifications/progress",
            "notifications/progress",
            "answer",
        ]
        desk.agents.close("over")
        await desk.children.close()

    run(body())


def test_what_a_server_says_on_stderr_is_kept_and_safe_to_look_at(tmp_path, run):
    async def body() -> None:
        desk = Real(tmp_path, stderr="oh \x1b[31mno")
        await desk.opened()
        log = desk.logs / "notes.log"
        await until(log.read_text)
        assert log.read_text().splitlines() == ["oh ‹ESC›[31mno"]
        assert log.stat().st_mode & 0o777 == 0o600
        desk.agents.close("over")
        await desk.children.close()

    run(body())


def test_a_server_that_exits_ends_its_session(tmp_path, run):
    async def body() -> None:
        desk = Real(tmp_path, exit_after=1, exit_code=4)
        agent = await desk.opened()
        await agent.whole(call(1, "echo"))
        await until(lambda: agent.asks(call(2, "echo")).status == 404)
        assert desk.sessions() == []

    run(body())


def test_the_end_of_a_session_closes_its_server_s_stdin(tmp_path, run):
    async def body() -> None:
        desk = Real(tmp_path)
        agent = await desk.opened()
        (end,) = desk.started
        agent.leaves()
        await asyncio.wait_for(end.child.ended.wait(), LIMIT_S)
        assert group(end.child.pid) == []

    run(body())


def test_a_server_that_will_not_end_is_killed_with_all_that_it_started(tmp_path, run):
    async def body() -> None:
        desk = Real(tmp_path, ignore="eof,term", grandchild=tmp_path / "grandchild")
        agent = await desk.opened()
        (end,) = desk.started
        agent.leaves()
        desk.wall.clock.advance(5.1)
        assert len(group(end.child.pid)) == 2
        desk.wall.clock.advance(2.1)
        await until(lambda: group(end.child.pid) == [])

    run(body())


def test_an_error_log_stays_bounded(tmp_path, run):
    async def body() -> None:
        desk = Real(tmp_path, stderr=("x" * 1000 + "\n") * 100)
        for _ in range(12):
            agent = await desk.opened()
            agent.leaves()
            end = desk.started[-1]
            await asyncio.wait_for(end.child.ended.wait(), LIMIT_S)
        await until((desk.logs / "notes.log.1").exists)
        assert (desk.logs / "notes.log").stat().st_size < 1_200_000

    run(body())


def test_a_server_that_is_killed_is_down_and_one_whose_session_was_ended_is_not(tmp_path, run):
    async def body() -> None:
        desk = Real(tmp_path)
        await desk.opened()
        life = desk.wall.engine.inventory.servers["notes"].life
        os.kill(desk.started[0].pid, signal.SIGKILL)
        await until(lambda: not desk.sessions())
        down = life.shown()
        assert down.ended is not None
        assert (down.ended.exit, down.ended.itself) == (137, True)
        agent = await desk.opened()
        assert life.shown().restarts == (life.shown().up_ms,)
        assert agent.leaves().status == 200
        await desk.started[1].child.ended.wait()
        assert life.shown().ended != down.ended
        assert life.shown().fell == down.ended
        await desk.children.close()

    run(body())
