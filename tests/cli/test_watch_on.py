"""`mcpwall watch` over the end of an engine: nothing is lost, nothing repeated, all is said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable

import pytest
from msgspec.structs import replace

from mcpwall.cli import watch
from mcpwall.engine import port, port_calls
from mcpwall.engine.port import Batch, EngineGoneError, RowEvent, SessionEvent, Snapshot
from mcpwall.engine.port_calls import State
from mcpwall.link import wire
from mcpwall.link.errors import NoEngineError, OtherVersionError
from tests.tui.scenes import STATUS, busy, row

FIRST, SECOND = 1_000, 5_000  # where the engines of these tests begin to count
NO_ENGINE = NoEngineError("/a/socket")
CLOSED = EngineGoneError("the engine closed the connection")
SESSION = replace(busy().sessions[0], id="s1")


def standing(first: int, *rows: port_calls.Row, seq: int = 0, **more: object) -> Snapshot:
    """What an engine shows that began to count at `first`."""
    status = replace(STATUS, started_ms=first)
    shown = replace(busy(), status=status, rows=rows, held=(), sessions=(), servers=(), first=first)
    return replace(shown, seq=first + seq, **more)


def batch(seq: int, *events: port.Event, gap: bool = False) -> Batch:
    return Batch(seq, port.Totals(), events, gap)


class Played:
    """A port that plays what engines show: each step is a snapshot and its batches, or an end."""

    def __init__(self, *steps: Snapshot | port_calls.Rows | Batch | EngineGoneError) -> None:
        self.steps = list(steps)
        self.followed: list[int] = []

    async def snapshot(self) -> Snapshot:
        step = self.steps.pop(0)
        if isinstance(step, EngineGoneError):
            raise step
        assert isinstance(step, Snapshot)
        return step

    async def feed(self, after: int) -> AsyncIterator[Batch]:
        self.followed.append(after)
        while True:
            step = self.steps.pop(0)
            if isinstance(step, EngineGoneError):
                raise step
            assert isinstance(step, Batch)
            yield step

    async def send(self, command: port.Command) -> port.Reply:
        assert isinstance(command, port_calls.Older)
        step = self.steps.pop(0)
        assert isinstance(step, port_calls.Rows)
        assert all(row.id < command.before for row in step.rows)
        return step


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause(_seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(watch, "pause", pause)


def said(engines: Played, *, as_json: bool = False) -> list[str]:
    """All lines on what was played, until nothing is left to play, or watch gives up."""
    lines: list[str] = []

    async def read() -> None:
        async for line in watch.lasting_lines(engines, as_json=as_json):
            lines.append(line)  # noqa: PERF401 - the generator ends by raising

    with pytest.raises((IndexError, EngineGoneError)):
        asyncio.run(read())
    return lines


def watched(engines: Played) -> list[dict[str, object]]:
    """The same as objects."""
    return [json.loads(line) for line in said(engines, as_json=True)]


def calls(lines: Iterable[dict[str, object]]) -> list[tuple[int, str]]:
    return [(line["row"]["id"], line["row"]["state"]) for line in lines if line["type"] == "row"]


def running(number: int) -> port_calls.Row:
    return row(number, "git.log", {}, state=State.RUNNING)


def done(number: int) -> port_calls.Row:
    return row(number, "git.log", {})


def test_the_end_of_an_engine_is_said_once_and_the_next_one_followed_from_its_beginning() -> None:
    engines = Played(
        standing(FIRST, done(1), seq=7),
        batch(FIRST + 8, RowEvent(done(2))),
        CLOSED,
        *(NO_ENGINE, NO_ENGINE),
        standing(SECOND, done(1), done(2), seq=3),
        batch(SECOND + 4, RowEvent(done(3))),
    )
    lines = watched(engines)
    assert [line["type"] for line in lines] == ["row", "gone", "status", "row"]
    assert lines[1]["text"] == watch.GONE
    assert calls(lines) == [(2, "done"), (3, "done")]
    assert engines.followed == [FIRST + 7, SECOND]


def test_what_an_engine_had_no_time_to_tell_is_told_of_its_successors_record() -> None:
    engines = Played(
        standing(FIRST, done(1)),
        batch(FIRST + 2, RowEvent(running(2)), RowEvent(running(3))),
        CLOSED,
        standing(SECOND, done(1), running(2), done(3), done(4)),
    )
    assert calls(watched(engines)) == [(2, "running"), (3, "running"), (3, "done"), (4, "done")]


def test_what_the_next_engine_tells_again_of_what_it_took_over_is_not_repeated() -> None:
    engines = Played(
        standing(FIRST, sessions=(SESSION,)),
        batch(FIRST + 2, RowEvent(running(1)), RowEvent(done(2))),
        CLOSED,
        standing(SECOND, done(1), done(2), seq=2, sessions=(SESSION,)),
        batch(SECOND + 3, SessionEvent(SESSION), RowEvent(done(1)), RowEvent(running(3))),
        batch(SECOND + 4, RowEvent(running(3))),  # from now on all is told as it comes
    )
    lines = watched(engines)
    assert calls(lines) == [
        (1, "running"),
        (2, "done"),
        (1, "done"),
        (3, "running"),
        (3, "running"),
    ]
    assert "session" not in {line["type"] for line in lines}


def test_calls_between_two_engines_that_nobody_shows_any_more_are_said_to_be_missing() -> None:
    engines = Played(
        standing(FIRST, done(1)), CLOSED, standing(SECOND, *(done(n) for n in range(7, 9)))
    )
    lines = watched(engines)
    assert [line["type"] for line in lines] == ["gone", "gap", "status", "row", "row"]


def test_calls_that_the_next_engines_snapshot_leaves_out_are_asked_for() -> None:
    engines = Played(
        standing(FIRST, done(1)),
        CLOSED,
        standing(SECOND, done(8), done(9), left=7),
        port_calls.Rows((done(6), done(7)), 5),
        port_calls.Rows((done(1), done(2), done(3), done(4), done(5)), 0),
        batch(SECOND + 1, RowEvent(done(10))),
    )
    assert calls(watched(engines)) == [(number, "done") for number in range(2, 11)]


def test_a_next_engine_whose_first_events_are_gone_says_so_and_goes_on() -> None:
    engines = Played(
        standing(FIRST, done(1)),
        CLOSED,
        standing(SECOND, done(1), running(2), seq=5_000),
        batch(SECOND + 5_000, gap=True),
        standing(SECOND, done(1), done(2), seq=5_001),
        batch(SECOND + 5_002, RowEvent(done(3))),
    )
    lines = watched(engines)
    assert [line["type"] for line in lines] == ["gone", "status", "row", "gap", "row", "row"]
    assert calls(lines) == [(2, "running"), (2, "done"), (3, "done")]
    assert engines.followed == [FIRST, SECOND, SECOND + 5_000]


def test_a_connection_that_broke_goes_on_where_it_was() -> None:
    engines = Played(
        standing(FIRST),
        batch(FIRST + 2, RowEvent(done(1))),
        CLOSED,
        standing(FIRST, done(1), seq=2),
        batch(FIRST + 3, RowEvent(done(2))),
    )
    lines = watched(engines)
    assert [line["type"] for line in lines] == ["row", "gone", "row"]
    assert engines.followed == [FIRST, FIRST + 2]


def test_trouble_in_attaching_again_is_said_once() -> None:
    trouble = EngineGoneError("cannot talk to the engine at /a/socket: Permission denied")
    engines = Played(standing(FIRST), CLOSED, NO_ENGINE, trouble, trouble, NO_ENGINE)
    first, second = watched(engines)
    assert first["text"] == watch.GONE
    assert "Permission denied" in str(second["text"])


@pytest.mark.parametrize("ends", [NO_ENGINE, OtherVersionError(wire.Welcome("9.9", 1))])
def test_it_ends_where_there_is_no_engine_at_first_or_one_of_another_version(
    ends: EngineGoneError,
) -> None:
    before = () if ends is NO_ENGINE else (standing(FIRST), CLOSED)
    engines = Played(*before, ends, standing(SECOND))
    assert all(line["type"] == "gone" for line in watched(engines))
    assert len(engines.steps) == 1


def test_the_words_of_an_engine_that_goes_and_one_that_comes() -> None:
    lines = said(Played(standing(FIRST), CLOSED, standing(SECOND)))
    assert [line.split("  ", 1)[1] for line in lines] == [
        "engine  gone; waiting for the next one, which `mcpwall` or an agent starts",
        "engine  guarding",
    ]
