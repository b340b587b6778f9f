"""The screen before the first call, and the one that guards an agent: what they say and write."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from mcpwall.tui.guarding import AgentFile, AgentServer, Stand
from mcpwall.tui.screens.agents import AgentsScreen
from mcpwall.tui.settings import Settings
from tests.tui import hostile
from tests.tui.fake_agents import (
    BROKEN,
    CLAUDE,
    CODEX,
    CURSOR,
    FILES,
    GITHUB,
    FakeAgents,
    agent_file,
)
from tests.tui.fake_port import FakePort
from tests.tui.scenes import busy, empty
from tests.tui.screens import NARROW, WIDE, Shown, golden, resized, scenario, showing
from tests.tui.test_hostile import assert_harmless

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

SIZES = pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
CHANGE = '"command": "/home/dev/.local/bin/mcpwall"'


def looking(
    agents: FakeAgents, size: tuple[int, int] = WIDE, **settings: object
) -> AbstractAsyncContextManager[Shown]:
    return showing(FakePort(empty()), size, settings=Settings(agents=agents, **settings))


async def until(shown: Shown, text: str) -> str:
    """Wait for files that are read in a thread; the test's time-out ends this."""
    while text not in shown.text():
        await shown.settle()
    return shown.text()


def said(shown: Shown) -> list[str]:
    return [notification.message for notification in shown.app._notifications]


# --- before the first call ----------------------------------------------------------------------


@SIZES
@scenario
async def test_the_empty_screen_lists_the_agents_and_says_what_to_do(
    name: str, size: tuple[int, int]
) -> None:
    async with looking(FakeAgents(*FILES), size) as shown:
        golden(f"empty-{name}", await until(shown, "Found 4 agent configurations"))


@scenario
async def test_how_servers_stand_is_a_sign_and_a_word() -> None:
    some = agent_file("a.json", "Zed", guarded=1)
    none = agent_file("b.json", "Goose", left=1)
    most = agent_file("c.json", "Windsurf", guarded=2, left=1)
    async with looking(FakeAgents(CLAUDE, CODEX, CURSOR, BROKEN, some, none, most)) as shown:
        text = await until(shown, "Found 7")
        lines = {line.split()[0]: line for line in text.splitlines() if line.startswith("      ")}
        assert "4 servers  ○ not guarded" in lines["Claude"]
        assert "3 servers  ○ 1 not guarded" in lines["Codex"]
        assert lines["Cursor"].endswith("0 servers")
        assert "▲ left alone" in lines["VS"]
        assert "1 server   ● guarded" in lines["Zed"]
        assert "1 server   ▲ left alone" in lines["Goose"]
        assert "3 servers  ● 2 ▲ 1 left alone" in lines["Windsurf"]


@scenario
async def test_where_all_is_guarded_it_says_to_start_the_agents_again() -> None:
    async with looking(FakeAgents(CLAUDE)) as shown:
        text = await until(shown, "Found 1")
        assert "guard one of them" in text
        assert "again" not in text
    async with looking(FakeAgents(agent_file("a.json", "Zed", guarded=1, left=1))) as shown:
        text = await until(shown, "Found 1")
        assert "start guarded agents again: most read their config once" in text
        assert "guard one of them" not in text


@scenario
async def test_more_files_than_there_is_room_for_are_counted() -> None:
    many = [AgentFile(f"~/{n}.json", "Cursor") for n in range(30)]
    async with looking(FakeAgents(*many), NARROW) as shown:
        text = await until(shown, "Found 30")
        named = text.count(".json")
        assert f"and {30 - named} more" in text
        assert "try it" in text
        await resized(shown.pilot, 60, 16)
        assert "try it" in await until(shown, "and 28 more")


@scenario
async def test_without_any_agent_it_says_so_and_shows_an_example() -> None:
    async with looking(FakeAgents()) as shown:
        text = await until(shown, "No agent's configuration was found")
        assert "i  guard an agent (shows the change" in text
        assert "mcpwall stdio git -- uvx mcp-server-git" in text


@scenario
async def test_no_file_is_looked_at_while_there_are_calls() -> None:
    agents = FakeAgents(*FILES)
    async with showing(FakePort(busy()), settings=Settings(agents=agents)) as shown:
        await shown.press("3", "1")
        assert agents.looks == 0
        await shown.press("c", "t")
        assert all("there are calls already" in text for text in said(shown))
        assert len(said(shown)) == 2


@scenario
async def test_the_command_shown_is_copied() -> None:
    async with looking(FakeAgents(*FILES)) as shown:
        await until(shown, CLAUDE.command)
        await shown.press("c")
        assert shown.app.clipboard == CLAUDE.command


@pytest.mark.parametrize("trouble", ["", "the demo has failed"])
@scenario
async def test_the_demo_gets_the_terminal_and_gives_it_back(trouble: str) -> None:
    ran = []

    def demo() -> str:
        ran.append(True)
        return trouble

    async with looking(FakeAgents(), demo=demo) as shown:
        shown.app.suspend = nullcontext  # type: ignore[method-assign,assignment]
        await shown.press("t")
        assert ran == [True]
        assert said(shown) == ([f"✗ {trouble}"] if trouble else [])
        assert "Nothing has called a tool yet." in shown.text()


# --- guarding an agent --------------------------------------------------------------------------


@SIZES
@scenario
async def test_the_exact_change_is_shown_before_anything_is_written(
    name: str, size: tuple[int, int]
) -> None:
    agents = FakeAgents(*FILES)
    async with looking(agents, size) as shown:
        await shown.press("i")
        golden(f"guard-{name}", await until(shown, CHANGE))
        assert agents.written == []


@scenario
async def test_it_is_written_after_a_confirm_and_says_what_to_do_next() -> None:
    agents = FakeAgents(*FILES)
    async with looking(agents) as shown:
        await shown.press("i")
        await until(shown, CHANGE)
        await shown.press("enter", "space", "y")
        assert agents.written == []
        await shown.press("w")
        await until(shown, "Guard 4 servers of Claude Code?")
        await shown.press("enter", "space")
        assert agents.written == []
        await shown.press("y")
        text = await until(shown, "routed what was chosen")
        assert "Start these agents again" in text
        assert agents.written == [(CLAUDE.path, "")]
        await until(shown, "4 servers  ● guarded")
        await shown.press("w")
        assert agents.written == [(CLAUDE.path, "")]
        assert "nothing of this can be guarded now" in said(shown)[-1]
        await shown.press("escape")
        await until(shown, "4 servers  ● guarded")


@scenario
async def test_one_server_can_be_guarded_alone() -> None:
    agents = FakeAgents(*FILES)
    async with looking(agents) as shown:
        await shown.press("i")
        await until(shown, CHANGE)
        await shown.press("down", "down")
        await until(shown, CHANGE)
        await shown.press("w")
        await until(shown, "Guard fs of Claude Code?")
        await shown.press("y")
        await until(shown, "routed what was chosen")
        assert agents.written == [(CLAUDE.path, "fs")]
        text = await until(shown, "4 servers  ○ 3 not guarded")
        assert "● fs" in text
        assert "○ db" in text
        await shown.press("w")
        assert len(agents.written) == 1


@scenario
async def test_a_no_writes_nothing() -> None:
    agents = FakeAgents(*FILES)
    async with looking(agents) as shown:
        await shown.press("i")
        await until(shown, CHANGE)
        await shown.press("w")
        await until(shown, "The file is changed as shown.")
        await shown.press("n", "escape")
        await until(shown, "Nothing has called a tool yet.")
        assert agents.written == []


@scenario
async def test_what_cannot_be_written_is_said_and_looked_at_again() -> None:
    agents = FakeAgents(CLAUDE, trouble="~/.claude.json: changed in the meantime")
    async with looking(agents) as shown:
        await shown.press("i")
        await until(shown, CHANGE)
        before = agents.looks
        await shown.press("w")
        await until(shown, "The file is changed as shown.")
        await shown.press("y")
        await until(shown, "changed in the meantime")
        while agents.looks == before:
            await shown.settle()
        assert agents.written == []


@scenario
async def test_each_file_and_server_says_why_it_cannot_be_guarded() -> None:
    async with looking(FakeAgents(CODEX, BROKEN)) as shown:
        await shown.press("i")
        await until(shown, "config.toml does not load; nothing was changed")
        assert CHANGE not in shown.text()
        await shown.press("w")
        await shown.press("down", "down", "down")
        assert "left alone: it is reached by the older HTTP+SSE transport" in shown.text()
        await shown.press("down")
        assert ".vscode/mcp.json:3: a value should stand here" in shown.text()
        await shown.press("c")
        assert "nothing of this can be guarded now" in said(shown)[0]
        assert "there is no command of this to copy" in said(shown)[1]


@scenario
async def test_the_command_of_the_selected_server_is_copied() -> None:
    async with looking(FakeAgents(CLAUDE)) as shown:
        await shown.press("i")
        await until(shown, CHANGE)
        await shown.press("down", "c")
        assert shown.app.clipboard == GITHUB.command
        await shown.press("down", "c")
        assert "there is no command of this to copy" in said(shown)[-1]


@scenario
async def test_a_long_change_can_be_read_to_its_end() -> None:
    diff = [f"+ line {n}" for n in range(100)]
    async with looking(FakeAgents(CLAUDE, diff=diff), NARROW) as shown:
        await shown.press("i")
        await until(shown, "more lines")
        for _ in range(12):
            await shown.press("pagedown")
        assert "+ line 99" in shown.text()
        await shown.press("pageup")
        assert "+ line 99" not in shown.text()


@scenario
async def test_it_can_be_reached_while_there_are_calls() -> None:
    settings = Settings(agents=FakeAgents(*FILES))
    async with showing(FakePort(busy()), settings=settings) as shown:
        await shown.press("4", "i")
        await until(shown, CHANGE)
        await shown.press("q")
        assert shown.app.is_running
        assert "4 Servers]" in shown.text()


@scenario
async def test_without_any_agent_there_is_nothing_to_guard() -> None:
    async with looking(FakeAgents(), NARROW) as shown:
        await shown.press("i")
        await until(shown, "no agent's configuration was found here")
        await shown.press("w", "c", "down", "pagedown", "escape")
        await until(shown, "Nothing has called a tool yet.")


@scenario
async def test_what_is_found_out_while_the_screen_closes_is_drawn_nowhere() -> None:
    async with looking(FakeAgents(*FILES)) as shown:
        await shown.press("i")
        screen = shown.app.screen
        assert isinstance(screen, AgentsScreen)
        await shown.press("escape")
        assert not screen.query("*")
        screen.draw()  # as what asks in a thread does with the answer


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@scenario
async def test_p10_hostile_files_are_harmless(size: tuple[int, int]) -> None:
    nasty = hostile.CONTROL + hostile.MARKUP
    one = AgentServer(nasty, (nasty,), Stand.OPEN, nasty, nasty)
    file = AgentFile(nasty, nasty, (one,), note=nasty)
    broken = AgentFile(f"{nasty}2", nasty, problem=nasty)
    agents = FakeAgents(file, broken, diff=(f"+{nasty}", nasty), trouble=nasty)
    async with looking(agents, size) as shown:
        await until(shown, "Found 2 agent")
        assert_harmless(shown)
        await shown.press("c", "i")
        await until(shown, "WHAT WOULD CHANGE")
        assert_harmless(shown)
        await shown.press("down", "down")
        assert_harmless(shown)
        await shown.press("up")
        await until(shown, "WHAT WOULD CHANGE")
        assert_harmless(shown)
        await shown.press("pagedown", "w")
        await until(shown, "The file is changed as shown.")
        assert_harmless(shown)
        await shown.press("y")
        await until(shown, "‹ESC›")
        assert_harmless(shown)
        assert "\x1b" not in shown.app.clipboard


@pytest.mark.parametrize("size", [(40, 12), (20, 5)])
@scenario
async def test_a_small_terminal_shows_what_fits(size: tuple[int, int]) -> None:
    async with looking(FakeAgents(*FILES), size) as shown:
        await shown.press("i")
        await shown.press("down", "pagedown", "up", "w", "n", "escape")
        await resized(shown.pilot, *WIDE)
        await until(shown, "Found 4 agent")
