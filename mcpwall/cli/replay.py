"""`mcpwall replay`: the record judged again, by the rules of then or by others."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcpwall.cli.errors import FAILED, USAGE, CliError

if TYPE_CHECKING:
    import argparse

    from mcpwall.engine.replay import Again
    from mcpwall.model import Verdict
    from mcpwall.policy.compile import Policy
    from mcpwall.store.config import Config
    from mcpwall.store.reader import Reader


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall replay`."""
    parser = subparsers.add_parser(
        "replay",
        help="judge the recorded calls again",
        description="Judge every recorded call again, in order, and show the verdicts that differ. "
        "By the rules of then none may: exit code 1 if one does. With --config, by these rules.",
        epilog="A filter chooses which calls are shown, as in `mcpwall log`; all of them are "
        "judged, because limits and rules on earlier calls depend on those before.",
    )
    parser.add_argument("filter", nargs="*", metavar="FILTER", help="show only calls like this")
    parser.add_argument("--config", metavar="FILE", help="rules to judge by instead of those then")
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the verdicts that differ, and a count. Raises CliError."""
    from mcpwall.cli.record import open_record
    from mcpwall.engine.replay import Replay
    from mcpwall.engine.resolve import resolve
    from mcpwall.query import QueryError, parse
    from mcpwall.store.faults import AuditError
    from mcpwall.text import ascii_json

    try:
        query = parse(" ".join(arguments.filter))
    except QueryError as error:
        raise CliError(f"filter: {error}", USAGE) from None
    other = _config(arguments.config) if arguments.config else None
    instead, risks = (other.policy(), other.risks) if other else (None, None)
    show, now_ms = (_as_json if arguments.json else _as_line), time.time_ns() // 1_000_000
    same = differ = 0
    missing: Counter[str] = Counter()
    try:
        with open_record() as reader:
            replay = Replay(_Kept(reader), resolve, instead=instead, risks=risks)
            for again in replay.run(reader.history()):
                if not query.matches(again.row, now_ms):
                    continue
                if again.why is not None:
                    missing[again.why.value] += 1
                elif again.differs:
                    differ += 1
                    print(show(again))
                else:
                    same += 1
    except AuditError as error:
        raise CliError(str(error)) from None
    counts = {"same": same, "differ": differ, "missing": dict(missing)}
    print(ascii_json(counts) if arguments.json else _summary(same, differ, missing))
    return FAILED if differ and instead is None else 0


class _Kept:
    """The policies that a record keeps, by their hash."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[str, Policy | None] = {}

    def __call__(self, name: str) -> Policy | None:
        """The policy, None when the record does not have it or its text was changed."""
        from mcpwall.policy.written import read_policy

        if name not in self._known:
            self._known[name] = None
            if text := self._reader.policy(name):
                try:
                    policy = read_policy(text)
                except ValueError:
                    return None
                self._known[name] = policy if policy.hash == name else None
        return self._known[name]


def _config(path: str) -> Config:
    from mcpwall.store.config import ConfigError, load

    try:
        return load(path, name=path)
    except ConfigError as error:
        raise CliError(f"{error} (`mcpwall rules check` says all)", USAGE) from None


def _as_line(again: Again) -> str:
    from mcpwall.text import visible
    from mcpwall.tui.words import called

    row = again.row
    when = datetime.fromtimestamp(row.at_ms / 1_000, UTC).astimezone()
    now = again.now
    parts = (
        f"{when:%Y-%m-%d %H:%M:%S}",
        f"#{row.id}",
        visible(row.agent),
        visible(called(row)),
        f"{_words(again.then)}  →  {_words(now) if now else ''}",
        visible(now.reason if now else ""),
    )
    return "  ".join(parts)


def _words(verdict: Verdict) -> str:
    from mcpwall.query import verdict_word
    from mcpwall.text import visible

    return visible(" ".join((verdict_word(verdict), *verdict.rules)))


def _as_json(again: Again) -> str:
    import msgspec

    from mcpwall.text import ascii_json

    plain = {
        "call": again.row.id,
        "server": again.row.server,
        "tool": again.row.tool,
        "then": msgspec.to_builtins(again.then),
        "now": msgspec.to_builtins(again.now),
    }
    return ascii_json(plain)


def _summary(same: int, differ: int, missing: Counter[str]) -> str:
    from mcpwall.tui.words import many

    made = same + differ
    count = f"{many(made, 'verdict')} made again: {differ:,} differ"
    if not missing:
        return count
    reasons = ", ".join(f"{why} ({number:,})" for why, number in sorted(missing.items()))
    return f"{count}; {sum(missing.values()):,} could not be: {reasons}"
