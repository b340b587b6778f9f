"""`mcpwall log`: recorded calls as lines. Reads the audit, with or without an engine running."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from mcpwall.cli.errors import USAGE, CliError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpwall.query import Query
    from mcpwall.store.reader import Place, Reader
    from mcpwall.store.records import AuditRow

POLL_S: Final = 0.2
NEWEST: Final = 50
_ARGUMENTS_CELLS: Final = 100


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall log`."""
    parser = subparsers.add_parser(
        "log",
        help="show recorded calls",
        description="Show the newest recorded calls, oldest of them first, a line each.",
        epilog="A filter is terms such as tool:delete_* server:git* agent:codex verdict!=allow "
        "risk>=write rule:ID state:held since:10m before:14:02, words to look for, `or`, `!` and "
        "parentheses. Quote it for the shell: mcpwall log 'verdict!=allow or risk>=write'",
    )
    parser.add_argument("filter", nargs="*", metavar="FILTER", help="show only calls like this")
    parser.add_argument("--json", action="store_true", help="a JSON object a line, nothing cut")
    parser.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="go on with calls that come or change, until Ctrl-C",
    )
    parser.add_argument(
        "-n", type=_count, default=NEWEST, metavar="N", help=f"how many at most (default {NEWEST})"
    )
    parser.add_argument(
        "--store", action="store_true", help="of all walls that share a store ([store])"
    )
    parser.add_argument("--since", metavar="TIME", help="not before TIME: 10m, 2h, 14:02, a date")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for. Raises CliError."""
    from mcpwall.cli.record import open_record
    from mcpwall.query import QueryError, moment, parse
    from mcpwall.store.faults import AuditError

    try:
        query = parse(" ".join(arguments.filter))
    except QueryError as error:
        raise CliError(f"filter: {error}", USAGE) from None
    try:
        start = moment(arguments.since)(_now_ms()) if arguments.since else None
    except ValueError as error:
        raise CliError(f"--since {arguments.since}: {error}", USAGE) from None
    if arguments.store:
        if arguments.follow:
            raise CliError("--follow shows this wall's own record: leave out --store", USAGE)
        return _shared(arguments, query, start)
    show = as_json if arguments.json else as_line
    try:
        with open_record() as reader:
            end = reader.end()
            now = _now_ms()
            found = reader.search(
                lambda row: query.matches(row, now), since_ms=start, limit=arguments.n
            )
            for row in reversed(list(found)):
                print(show(row))
            if arguments.follow:
                sys.stdout.flush()
                follow(reader, end, query, lambda row: print(show(row), flush=True))
    except AuditError as error:
        raise CliError(str(error)) from None
    except KeyboardInterrupt:
        if not arguments.follow:
            raise
    return 0


def _shared(arguments: argparse.Namespace, query: Query, start: int | None) -> int:
    """Print calls of all walls that share a store. Raises CliError."""
    import asyncio

    from mcpwall import home
    from mcpwall.cli import shared
    from mcpwall.store.config import ConfigError, load

    try:
        place = shared.find(load(home.config_file()))
    except ConfigError as error:
        raise CliError(str(error), USAGE) from None
    if place is None:
        raise CliError(f"{home.config_file()} names no shared store: see [store]", USAGE)
    now = _now_ms()
    reading = shared.newest(
        place, lambda row: query.matches(row, now), since_ms=start, limit=arguments.n
    )
    for found in reversed(asyncio.run(reading)):
        whose = {"wall": found.wall, "who": found.who}
        print(as_json(found.row, whose) if arguments.json else as_line(found.row, found.who))
    return 0


def follow(
    reader: Reader,
    after: Place,
    query: Query,
    show: Callable[[AuditRow], None],
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Show calls that came or changed after a place, each in its newest state, without end.

    Raises what `show` and `wait` raise; AuditError.
    """
    while True:
        rows, after = reader.changed(after)
        now = _now_ms()
        for row in rows:
            if query.matches(row, now):
                show(row)
        wait(POLL_S)


def as_line(row: AuditRow, who: str = "") -> str:
    """A call on one line, safe to print: when, number, who, what, verdict, outcome, arguments.

    `who`: whose wall it went through, if that is not clear.
    """
    from mcpwall.query import verdict_word
    from mcpwall.text import summary, visible
    from mcpwall.tui.words import called

    when = datetime.fromtimestamp(row.at_ms / 1_000, UTC).astimezone()
    verdict = " ".join((verdict_word(row.verdict), *row.verdict.rules))
    outcome = row.state if row.took_us is None else f"{row.state} {row.took_us / 1_000:.0f}ms"
    parts = (
        f"{when:%Y-%m-%d %H:%M:%S}",
        f"#{row.id}",
        visible(who),
        visible(row.agent),
        visible(called(row)),
        visible(verdict),
        visible(outcome),
        summary(row.preview, _ARGUMENTS_CELLS),
        visible(row.note),
    )
    return "  ".join(part for part in parts if part)


def as_json(row: AuditRow, whose: dict[str, str] | None = None) -> str:
    """A call as a JSON object on one line, in ASCII, so that nothing in it moves a terminal.

    `arguments` is null where they were longer than the record keeps; then `excerpt` has the start.
    """
    import msgspec

    from mcpwall.text import ascii_json

    plain = {**(whose or {}), **msgspec.to_builtins(row)}
    if row.arguments is not None:
        plain["arguments"] = json.loads(row.arguments)
    return ascii_json(plain)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"write a number of calls, not {text!r}")
    return int(text)
