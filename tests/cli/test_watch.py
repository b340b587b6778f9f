"""`mcpwall watch`: each event as a line, on a scripted engine and on none at all."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from mcpwall.cli import watch
from mcpwall.cli.main import run
from mcpwall.cli.told import Told
from mcpwall.engine import port, port_calls
from tests.tui import hostile
from tests.tui.fake_port import FakePort
from tests.tui.scenes import LIMITED, NOW_MS, STATUS, busy, row

if TYPE_CHECKING:
    from pathlib import Path

SNAPSHOT = busy()
HELD = SNAPSHOT.held[2]
SESSION = SNAPSHOT.sessions[0]
OFF = replace(SNAPSHOT.rules[1], rule=replace(SNAPSHOT.rules[1].rule, enabled=False))


def text(event: port.Event) -> str:
    """The line of an event without its time of day, which is local."""
    return re.sub(r"^\d\d:\d\d:\d\d", "TIME", watch.to_text(event, NOW_MS))


def said(*batches: tuple[port.Event, ...] | None, as_json: bool = False) -> list[str]:
    """The lines that follow these batches; None stands for a gap."""

    async def collect() -> list[str]:
        fake = FakePort(SNAPSHOT)
        lines: list[str] = []

        async def read() -> None:
            async for line in watch.lines(fake, Told(), as_json=as_json):
                lines.append(line)  # noqa: PERF401 - the generator ends by raising

        reader = asyncio.ensure_future(read())
        for batch in batches:
            await (fake.push(gap=True) if batch is None else fake.push(*batch))
        await fake.break_off("the engine has closed the connection")
        with pytest.raises(port.EngineGoneError, match="closed"):
            await reader
        return lines

    return asyncio.run(collect())


def test_an_answered_call_is_one_line() -> None:
    call = row(7, "git.log", {"path": "src", "n": 5}, took_us=3_000)
    assert text(port.RowEvent(call)) == (
        "TIME  call 7  claude-code#1  git.log  allow r20  done 3ms  path=src n=5"
    )


def test_a_refused_call_names_its_rule() -> None:
    call = row(
        8, "slack.post", {}, verdict=LIMITED, state=port_calls.State.REFUSED, note="5 in 60 s"
    )
    assert text(port.RowEvent(call)) == (
        "TIME  call 8  claude-code#1  slack.post  limit r07  refused  5 in 60 s"
    )


def test_a_waiting_call_says_how_long_and_where_to_answer() -> None:
    assert text(port.HeldEvent(HELD)).startswith(
        "TIME  call 1283  codex#1  shell.run  waits for you, 0:58 left: answer in `mcpwall`; "
        "first use of this tool; pipes a download to sh  command=rm -rf build/ && make -j8␊curl"
    )
    assert watch.to_text(port.RowEvent(HELD.row)) == ""
    late = msgspec.structs.replace(HELD, late=True)
    assert "its time was up; 0:58 left to allow the same call" in text(port.HeldEvent(late))


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (port.ReleasedEvent(7, "time is up"), "TIME  call 7  waits no more: time is up"),
        (
            port.ForgottenEvent("git"),
            "TIME  git  is forgotten, with its tools and their pins",
        ),
        (port.NoticeEvent("warning", "rules reloaded"), "TIME  warning  rules reloaded"),
        (port.SessionEvent(SESSION), "TIME  claude-code#1 with postgres  session"),
        (
            port.SessionEvent(replace(SESSION, ended="agent left")),
            "TIME  claude-code#1 with postgres  ended: agent left",
        ),
        (port.StatusEvent(STATUS), "TIME  engine  guarding"),
        (
            port.StatusEvent(replace(STATUS, lockdown=True)),
            "TIME  engine  LOCKDOWN, every tool call is refused",
        ),
        (
            port.StatusEvent(replace(STATUS, config_error="config.toml:3: unknown key")),
            "TIME  engine  guarding  config: config.toml:3: unknown key",
        ),
        (port.RulesEvent(SNAPSHOT.rules), "TIME  rules  changed: 2 in force"),
        (port.RulesEvent((SNAPSHOT.rules[0], OFF)), "TIME  rules  changed: 1 in force, 1 off"),
    ],
)
def test_other_events_are_a_line_each(event: port.Event, line: str) -> None:
    assert text(event) == line


def test_a_session_is_told_once_and_when_it_ends() -> None:
    came = replace(SESSION, id="s9")
    counted = port.SessionEvent(replace(came, calls=99))
    ended = port.SessionEvent(replace(came, ended="agent left"))
    was_there = port.SessionEvent(replace(SESSION, calls=99))
    lines = said((was_there,), (port.SessionEvent(came),), (counted, counted), (ended,))
    assert [line.split("  ")[-1] for line in lines] == ["session", "ended: agent left"]


def test_rules_are_told_when_they_change_and_not_with_each_use() -> None:
    first, *more = SNAPSHOT.rules
    used = port.RulesEvent((replace(first, hits=first.hits + 1), *more))
    changed = port.RulesEvent((first, OFF))
    lines = said((used, used), (changed, changed))
    assert [line.split("  ")[-1] for line in lines] == ["changed: 1 in force, 1 off"]


def test_json_is_an_object_a_line_with_everything_in_it() -> None:
    event = port.RowEvent(row(7, "git.log", {"path": "src"}))
    (line,) = said((event,), as_json=True)
    value = json.loads(line)
    assert value["type"] == "row"
    assert value["row"]["id"] == 7
    assert value["row"]["preview"] == '{"path":"src"}'


def test_a_gap_is_said_and_the_watch_goes_on() -> None:
    call = port.RowEvent(row(7, "git.log", {}))
    before, gap, after = said((call,), None, (call,))
    assert "some events are missing here" in gap
    assert before == after
    assert json.loads(said(None, as_json=True)[0])["type"] == "gap"


@pytest.mark.parametrize("as_json", [False, True])
def test_p10_hostile_events_are_harmless_lines(as_json: bool) -> None:
    nasty = hostile.CONTROL + hostile.MARKUP
    scene = hostile.snapshot()
    events = (
        *(port.RowEvent(row) for row in scene.rows),
        *(port.HeldEvent(held) for held in scene.held),
        *(port.SessionEvent(session) for session in scene.sessions),
        *(port.ServerEvent(server) for server in scene.servers),
        port.SessionEvent(replace(scene.sessions[0], ended=nasty)),
        port.ReleasedEvent(1, nasty),
        port.StatusEvent(scene.status),
        port.RulesEvent(scene.rules),
        port.NoticeEvent(nasty, nasty),
    )
    lines = said(events, as_json=as_json)
    assert len(lines) > 10
    for line in lines:
        assert line.isprintable(), line
        assert line.isascii() or not as_json


def test_without_an_engine_it_says_so_and_exits_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MCPWALL_HOME", str(tmp_path))
    assert run(["watch"]) == 3
    err = capfd.readouterr().err
    assert "no engine runs" in err
    assert len(err.splitlines()) == 1
