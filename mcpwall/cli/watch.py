"""`mcpwall watch`: what happens, as plain lines: for pipes, dumb terminals and screen readers."""

from __future__ import annotations

import argparse
import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, assert_never

from mcpwall.cli.errors import NO_ENGINE, CliError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from mcpwall.engine.port import EnginePort, Event, Row
    from mcpwall.engine.port_rules import RuleRow
    from mcpwall.model import Rule

_ARGUMENTS_CELLS = 100


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall watch`."""
    parser = subparsers.add_parser(
        "watch",
        help="print what happens as plain lines",
        description="Print what happens from now on, one line for each event, until Ctrl-C or the "
        "end of the engine.",
        epilog="Exit code: 0 after Ctrl-C, 3 no engine runs, or it has ended.",
    )
    parser.add_argument("--json", action="store_true", help="a JSON object a line, nothing cut")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print events until the engine ends. Raises CliError when there is none or it goes."""
    try:
        asyncio.run(_watch(as_json=arguments.json))
    except KeyboardInterrupt:
        return 0
    return 0


async def _watch(*, as_json: bool) -> None:
    from mcpwall.engine.port import EngineGoneError
    from mcpwall.link.client import connect

    try:
        async with connect(role="cli") as engine:
            async for line in lines(engine, as_json=as_json):
                print(line, flush=True)
    except EngineGoneError as gone:
        raise CliError(str(gone), NO_ENGINE) from None


async def lines(engine: EnginePort, *, as_json: bool = False) -> AsyncIterator[str]:
    """A line for each event from now on, safe to print. Raises EngineGoneError."""
    say = to_json if as_json else to_text
    known = _Known()
    while True:
        snapshot = await engine.snapshot()
        known.rules = _written(snapshot.rules)
        async for batch in engine.feed(snapshot.seq):
            if batch.gap:
                yield to_gap(as_json=as_json)
                break
            for event in batch.events:
                if (as_json or known.is_news(event)) and (line := say(event)):
                    yield line
        else:
            return


def _written(rules: Iterable[RuleRow]) -> list[Rule]:
    return [row.rule for row in rules]


class _Known:
    """Remembers what was said of rules and sessions, whose counts change with every call."""

    def __init__(self) -> None:
        self._agents: dict[str, str] = {}  # of live sessions
        self.rules: list[Rule] = []

    def is_news(self, event: Event) -> bool:
        """Whether a line about `event` would differ from the last one about the same thing."""
        from mcpwall.engine.port import RulesEvent, SessionEvent

        if isinstance(event, RulesEvent):
            before, self.rules = self.rules, _written(event.rules)
            return before != self.rules
        if not isinstance(event, SessionEvent):
            return True
        session = event.session
        agent = self._agents.pop(session.id, None)
        if session.ended:
            return True
        self._agents[session.id] = session.agent
        return agent != session.agent


def to_gap(*, as_json: bool) -> str:
    """What is said when events were dropped because the reader was too slow."""
    from mcpwall.text import ascii_json

    text = "some events are missing here: whoever reads these lines is too slow"
    return ascii_json({"type": "gap", "text": text}) if as_json else _line(_now_ms(), text)


def to_json(event: Event) -> str:
    """An event as a JSON object in ASCII, so that nothing in it moves a terminal."""
    from msgspec import to_builtins

    from mcpwall.text import ascii_json

    return ascii_json(to_builtins(event))


def to_text(event: Event, at_ms: int | None = None) -> str:
    """An event as a line; empty for what only matters to a screen. `at_ms`: when it was told."""
    from mcpwall.engine import port
    from mcpwall.text import summary, visible
    from mcpwall.tui.timing import countdown

    now_ms = _now_ms() if at_ms is None else at_ms
    match event:
        case port.RowEvent(row=row):
            return "" if row.state in (port.State.HELD, port.State.RESERVING) else _row(row)
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
        case port.ServerEvent():
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
