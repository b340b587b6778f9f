"""What a person does at the app, over the real socket, to real shims and a server that records."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from mcpwall.engine.port import Command, CutSession, Done, PauseSession, Reply, Snapshot
from mcpwall.engine.port_answers import CheckEdit, Decide, EditChecked
from mcpwall.engine.port_calls import Found, Search
from mcpwall.link.client import connect
from tests.helpers.limits import LIMIT_S
from tests.processes.test_wall import received, recorded, session

ASK = '[defaults]\nunknown = "ask"\nread = "ask"\nwrite = "ask"\nexecute = "ask"\n'


def at_the_app(home: Path, *commands: Command) -> list[Reply]:
    """Give commands as the app does; their replies."""

    async def give() -> list[Reply]:
        async with connect(str(home / "state" / "engine.sock")) as engine:
            return [await engine.send(command) for command in commands]

    return asyncio.run(give())


def shown(home: Path, waiting: int = 0) -> Snapshot:
    """What the app would show, once so many calls wait."""

    async def look() -> Snapshot:
        async with connect(str(home / "state" / "engine.sock")) as engine:
            now = await engine.snapshot()
            if len(now.held) < waiting:
                async for _ in engine.feed(now.seq):
                    now = await engine.snapshot()
                    if len(now.held) >= waiting:
                        break
            return now

    return asyncio.run(look())


def test_p02_the_server_gets_the_edited_arguments_and_the_record_has_both(
    home: Path, tmp_path: Path
) -> None:
    (home / "config.toml").write_text(ASK)
    log = tmp_path / "log"
    with session(home, log=log) as client:
        pending = client.start_call("echo", {"text": "rm -rf build"})
        [held] = shown(home, waiting=1).held
        quoted = (held.row.id, held.digest, held.revision)
        [checked] = at_the_app(home, CheckEdit(*quoted, {"text": "ls build \u2028 é"}))
        assert isinstance(checked, EditChecked), checked
        [reply] = at_the_app(home, Decide(*quoted, True, edited=checked.digest))
        assert isinstance(reply, Done), reply
        pending.wait()
    [seen] = received(log)
    assert seen["params"]["arguments"] == {"text": "ls build \u2028 é"}
    [row] = recorded(home)
    assert row["arguments"] == {"text": "rm -rf build"}
    assert json.loads(row["edited"]) == {"text": "ls build \u2028 é"}
    assert row["digest"] == checked.digest


def test_a_session_is_paused_let_on_and_cut_off(home: Path, tmp_path: Path) -> None:
    (home / "config.toml").write_text(ASK.replace("ask", "allow"))
    log = tmp_path / "log"
    with session(home, log=log) as client:
        [live] = shown(home).sessions
        at_the_app(home, PauseSession(live.id, True))
        refusal = client.call("echo", {"text": "a"})
        assert "paused this session" in refusal["result"]["content"][0]["text"]
        at_the_app(home, PauseSession(live.id, False))
        assert "isError" not in client.call("echo", {"text": "b"})["result"]
        at_the_app(home, CutSession(live.id))
        assert client.process.wait(LIMIT_S) != 0
        assert "cut this session off" in client.stderr
        assert shown(home).sessions == ()
    assert [call["params"]["arguments"]["text"] for call in received(log)] == ["b"]


def test_the_record_is_searched_through_the_socket(home: Path) -> None:
    (home / "config.toml").write_text(ASK.replace("ask", "allow"))
    with session(home) as client:
        for text in ("one", "two", "three"):
            client.call("echo", {"text": text})
        [found] = at_the_app(home, Search("two"))
    assert isinstance(found, Found)
    assert ["two" in row.preview for row in found.rows] == [True]
