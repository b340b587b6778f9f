"""`mcpwall watch`: what happens, as plain lines: for pipes, dumb terminals and screen readers."""

from __future__ import annotations

import argparse
import asyncio
import os
import stat
import sys
import time
from asyncio import sleep as pause  # the one that tests hold
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, assert_never

from mcpwall.cli.errors import NO_ENGINE, CliError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from mcpwall.cli.told import Told
    from mcpwall.engine.port import EnginePort, Event, Snapshot
    from mcpwall.engine.port_calls import Row

GONE: Final = "gone; waiting for the next one, which `mcpwall` or an agent starts"
MISSING: Final = "some events are missing here: more came than is kept for who reads slowly"
_REATTACH_S: Final = 0.25  # a new engine keeps events for who comes late, but not for long
_ARGUMENTS_CELLS: Final = 100


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall watch`."""
    parser = subparsers.add_parser(
        "watch",
        help="print what happens as plain lines",
        description="Print what happens from now on, one line for each event, until Ctrl-C. Where "
        "the engine ends, wait for the next one and go on with it.",
        epilog="Exit code: 0 after Ctrl-C, 3 no engine runs, or the next one is of another version "
        "of mcpwall.",
    )
    parser.add_argument("--json", action="store_true", help="a JSON object a line, nothing cut")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print events until Ctrl-C, or until nobody reads them. Raises CliError without an engine."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_watch(as_json=arguments.json))
    return 0


async def _watch(*, as_json: bool) -> None:
    from mcpwall.engine.port import EngineGoneError
    from mcpwall.link.lasting import LastingPort

    async with aclosing(LastingPort(role="cli")) as engine:
        printing = asyncio.create_task(_print(engine, as_json=as_json))
        with _when_unread(printing.cancel), suppress(asyncio.CancelledError):
            try:
                await printing
            except EngineGoneError as gone:
                raise CliError(str(gone), NO_ENGINE) from None


async def _print(engine: EnginePort, *, as_json: bool) -> None:
    async for line in lasting_lines(engine, as_json=as_json):
        print(line, flush=True)


@contextmanager
def _when_unread(tell: Callable[[], object]) -> Iterator[None]:
    """Call `tell` once nobody reads stdout any more, if it is a pipe: a next line may be far."""
    loop, out = asyncio.get_running_loop(), sys.stdout.fileno()
    if not stat.S_ISFIFO(os.fstat(out).st_mode):
        yield
        return

    def unread() -> None:  # an end that is written to has nothing to read, but may have an error
        loop.remove_reader(out)
        tell()

    loop.add_reader(out, unread)
    try:
        yield
    finally:
        loop.remove_reader(out)


async def lasting_lines(engine: EnginePort, *, as_json: bool = False) -> AsyncIterator[str]:
    """Lines as of `lines`, over the end of one engine and the start of the next.

    `engine` is a port whose `snapshot` finds the next one, as `link.lasting` has it. Raises
    EngineGoneError when there is none at first, and when the next one is of another version.
    """
    from mcpwall.cli.told import Told
    from mcpwall.engine.port import EngineGoneError
    from mcpwall.link.errors import NoEngineError, OtherVersionError

    told, said = Told(), ""
    while True:
        try:
            async for line in lines(engine, told, as_json=as_json):
                said = ""
                yield line
        except EngineGoneError as gone:
            if told.engine is None or isinstance(gone, OtherVersionError):
                raise
            what = f"cannot be watched: {gone}" if said else GONE
            if what != said and not (said and isinstance(gone, NoEngineError)):
                said = what
                yield to_word("gone", what, as_json=as_json)
        await pause(_REATTACH_S)


async def lines(engine: EnginePort, told: Told, *, as_json: bool = False) -> AsyncIterator[str]:
    """A line for each event from now on, or on from what was `told`, safe to print. Without end.

    Raises EngineGoneError.
    """
    from mcpwall.cli.told import events

    def line(event: Event) -> str:
        if told.take(event) or as_json:
            return to_json(event) if as_json else to_text(event)
        return ""

    while True:
        snapshot = await engine.snapshot()
        if told.engine is None:
            told.begin(snapshot)
        elif snapshot.first != told.engine:
            snapshot = await _back_to(told, snapshot, engine)
            if not told.reaches(snapshot.rows):
                yield to_word("gap", MISSING, as_json=as_json)
        for event in events(snapshot):
            if not told.knows(event) and (text := line(event)):
                yield text
        told.follow(snapshot.first)
        async for batch in engine.feed(told.seq):
            overlaps, told.seq = told.seq < snapshot.seq, batch.seq
            for event in batch.events:
                if not (overlaps and told.knows(event)) and (text := line(event)):
                    yield text
            if batch.gap:
                yield to_word("gap", MISSING, as_json=as_json)
                break


async def _back_to(told: Told, snapshot: Snapshot, engine: EnginePort) -> Snapshot:
    """A snapshot with all calls that came after those that were told, as far as they are known."""
    from msgspec.structs import replace

    from mcpwall.engine.port_calls import Older, Rows

    while snapshot.left and not told.reaches(snapshot.rows):
        piece = await engine.send(Older(snapshot.rows[0].id))
        if not isinstance(piece, Rows):
            break
        snapshot = replace(snapshot, rows=piece.rows + snapshot.rows, left=piece.left)
    return snapshot


def to_word(kind: str, text: str, *, as_json: bool) -> str:
    """What is said of the events themselves: that some are missing, that no engine tells any."""
    from mcpwall.text import ascii_json, visible

    if as_json:
        return ascii_json({"type": kind, "text": text})
    return _line(_now_ms(), "engine" if kind == "gone" else "", visible(text))


def to_json(event: Event) -> str:
    """An event as a JSON object in ASCII, so that nothing in it moves a terminal."""
    from msgspec import to_builtins

    from mcpwall.text import ascii_json

    return ascii_json(to_builtins(event))


def to_text(event: Event, at_ms: int | None = None) -> str:
    """An event as a line; empty for what only matters to a screen. `at_ms`: when it was told."""
    from mcpwall.engine import port, port_calls
    from mcpwall.text import summary, visible
    from mcpwall.tui.timing import countdown

    now_ms = _now_ms() if at_ms is None else at_ms
    match event:
        case port.RowEvent(row=row):
            later = row.state in (port_calls.HELD, port_calls.RESERVING)
            return "" if later else _row(row)
        case port.HeldEvent(held=held):
            left = countdown(held.deadline_ms - now_ms)
            flags = "".join(f"; {visible(flag)}" for flag in held.flags)
            arguments = summary(held.row.preview, _ARGUMENTS_CELLS)
            waits = f"waits for you, {left} left: answer in `mcpwall`{flags}"
            if held.late:
                waits = f"its time was up; {left} left to allow the same call for later"
            return _line(now_ms, _who(held.row), waits, arguments)
        case port.ReleasedEvent(call=call, how=how):
            return _line(now_ms, f"call {call}", f"waits no more: {visible(how)}")
        case port.SessionEvent(session=session):
            state = f"ended: {session.ended}" if session.ended else "session"
            who = f"{session.agent} with {session.server}"
            return _line(now_ms, visible(who), visible(state))
        case port.ForgottenEvent(server=server):
            return _line(now_ms, visible(server), "is forgotten, with its tools and their pins")
        case port.StatusEvent(status=status):
            lockdown = "LOCKDOWN, every tool call is refused" if status.lockdown else "guarding"
            trouble = f"config: {status.config_error}" if status.config_error else ""
            waits = "an edit of the rules from outside waits" if status.outside_edit else ""
            return _line(now_ms, "engine", lockdown, visible(trouble), waits)
        case port.NoticeEvent(level=level, text=text):
            return _line(now_ms, visible(level), visible(text))
        case port.RulesEvent(rules=rules):
            off = sum(not row.rule.enabled for row in rules)
            changed = f"changed: {len(rules) - off} in force" + (f", {off} off" if off else "")
            return _line(now_ms, "rules", changed)
        case port.HitsEvent() | port.ServerEvent():
            return ""
        case _:
            assert_never(event)


def _row(row: Row) -> str:
    from mcpwall.query import verdict_word
    from mcpwall.text import summary, visible
    from mcpwall.tui.timing import took

    verdict = " ".join((verdict_word(row.verdict), *row.verdict.rules))
    duration = "" if row.took_us is None else f" {took(row.took_us)}"
    arguments = summary(row.preview, _ARGUMENTS_CELLS)
    return _line(
        row.at_ms,
        _who(row),
        visible(verdict),
        f"{row.state}{duration}",
        arguments,
        visible(row.note),
    )


def _who(row: Row) -> str:
    from mcpwall.text import visible
    from mcpwall.tui.words import called

    return f"call {row.id}  {visible(row.agent)}  {visible(called(row))}"


def _line(at_ms: int, *parts: str) -> str:
    """The parts that are not empty, after the local time."""
    when = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()
    return "  ".join((f"{when:%H:%M:%S}", *(part for part in parts if part)))


def _now_ms() -> int:
    return int(time.time() * 1000)
