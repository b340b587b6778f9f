"""How it stands with a server, in the list and in what is said of the selected one."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from msgspec.structs import replace

from mcpwall.engine.port_servers import Ending, Life
from mcpwall.engine.port_tools import ServerRow
from mcpwall.tui.servers.lives import exit_words, standing, story
from tests.tui.fake_port import FakePort
from tests.tui.scenes import NOW_MS, busy
from tests.tui.screens import NARROW, WIDE, golden, resized, scenario, showing

MINUTE, DAY = 60_000, 86_400_000
CLOSED = "the agent closed its end"


def server(name: str = "git", *, transport: str = "stdio", **life: Any) -> ServerRow:
    up = life.get("up_ms", 0)
    return ServerRow(name, transport, "1.0", int(bool(up)), (), 0, life=Life(**life))


def ended(ago_ms: int, **how: Any) -> Ending:
    return Ending(**{"at_ms": NOW_MS - ago_ms, "agent": "codex#1", "why": CLOSED} | how)


def fell(ago_ms: int, code: int = 1) -> Ending:
    return ended(ago_ms, why=f"the server exited with code {code}", exit=code, itself=True)


AGAIN = (NOW_MS - DAY, NOW_MS - 90 * MINUTE, NOW_MS - 30 * MINUTE)
SERVERS = (
    server("browser", ended=fell(1 * MINUTE, 137), fell=fell(1 * MINUTE, 137), restarts=AGAIN),
    server("files", up_ms=NOW_MS - 30 * MINUTE, ended=ended(5 * MINUTE, exit=0),
           fell=fell(31 * MINUTE), restarts=AGAIN),
    server("git", ended=ended(DAY, exit=0)),
    server("notes"),
    server("search", transport="http", up_ms=NOW_MS - 134 * MINUTE, answered_ms=NOW_MS - 2_000),
    server("tracker", transport="http", up_ms=NOW_MS - 9 * MINUTE, trouble_ms=NOW_MS - 8 * MINUTE,
           trouble="tracker needs a login: run `mcpwall login tracker`"),
    server("wiki", transport="http", up_ms=NOW_MS - 5_000),
)  # fmt: skip


def said(row: ServerRow, room: int = 99) -> str:
    return standing(row, NOW_MS, UTC, room)[0]


def test_what_is_said_in_the_list() -> None:
    assert [said(row) for row in SERVERS] == [
        "down 14:01  exit 137, 2 restarts",
        "up 30m00, 2 restarts",
        "ended 03-04",
        "not running",
        "up 2h14m",
        "trouble since 13:54",
        "open 5s",
    ]


def test_where_there_is_little_room_whole_words_are_left_out() -> None:
    down, up = SERVERS[:2]
    assert [said(down, room) for room in (32, 31, 20, 19, 1)] == [
        "down 14:01  exit 137, 2 restarts",
        "down 14:01  exit 137",
        "down 14:01  exit 137",
        "down 14:01",
        "down 14:01",
    ]
    assert said(up, 19) == "up 30m00"
    assert [said(SERVERS[5], room) for room in (19, 18)] == ["trouble since 13:54", "trouble"]


def test_restarts_count_from_midnight_where_the_person_is() -> None:
    row = server(up_ms=NOW_MS - 30 * MINUTE, restarts=AGAIN)
    assert said(row) == "up 30m00, 2 restarts"
    assert standing(row, NOW_MS + DAY, UTC)[0] == "up 1d00h"


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit 0"), (1, "exit 1"), (128, "exit 128"), (137, "exit 137 (SIGKILL)"),
     (143, "exit 143 (SIGTERM)"), (254, "exit 254")],
)  # fmt: skip
def test_a_code_of_a_signal_names_it(code: int, words: str) -> None:
    assert exit_words(code) == words


def test_the_whole_story_tells_both_ends_and_the_last_start() -> None:
    assert [(name, text) for name, text, _ in story(SERVERS[1], NOW_MS, UTC)] == [
        ("stands", "up 30m00: one session since 03-05 13:32:37"),
        ("ended", f"03-05 13:57:37, session of codex#1: {CLOSED}, exit 0"),
        ("went down", "03-05 13:31:37, session of codex#1: by itself, exit 1"),
        ("restarts", "2 restarts today after it had gone down, last 03-05 13:32:37"),
    ]


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_how_servers_stand(name: str, size: tuple[int, int]) -> None:
    waits = replace(SERVERS[0], name="archive", new=True)
    async with showing(FakePort(replace(busy(), servers=(waits, *SERVERS))), size) as shown:
        await shown.press("4", "down")
        golden(f"servers-lives-{name}", shown.text())


@scenario
async def test_how_servers_stand_is_all_that_small_windows_have_room_for() -> None:
    async with showing(FakePort(replace(busy(), servers=SERVERS)), NARROW) as shown:
        await shown.press("4", "down", "down")
        await resized(shown.pilot, 40, 12)
        assert "▾git" in shown.text()
        assert "ended 03-04" in shown.text()


@scenario
async def test_time_goes_on_while_nothing_happens() -> None:
    now = [NOW_MS / 1000]
    fake = FakePort(replace(busy(), servers=(SERVERS[4],)))
    async with showing(fake, now=lambda: now[0]) as shown:
        await shown.press("4")
        assert "up 2h14m" in shown.text()
        now[0] += 60
        shown.app._tick()
        await shown.settle()
        assert "up 2h15m" in shown.text()


@scenario
async def test_p10_what_is_told_of_a_servers_life_passes_the_text_door() -> None:
    nasty = "\x1b]0;x\x07\u202e"
    row = server("x", ended=ended(0, agent=nasty, why=nasty), trouble=nasty, trouble_ms=1)
    async with showing(FakePort(replace(busy(), servers=(row,)))) as shown:
        await shown.press("4")
        assert "‹ESC›]0;x‹BEL›‹U+202E›" in shown.text()
        assert "\x1b" not in shown.text()
