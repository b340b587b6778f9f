"""`mcpwall doctor`: what is set up, what is not, and what to do about it."""

from __future__ import annotations

import argparse
import math
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from mcpwall import home
from mcpwall.cli.errors import FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpwall.cli.finding import Finding

_SAID_LINES: Final = 8
_SIGNS: Final = {"ok": "✓", "note": "·", "wrong": "✗"}


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall doctor`."""
    parser = subparsers.add_parser(
        "doctor",
        help="what is set up, what is not, and what to do",
        description="Look at the engine, the config, files and their permissions, the terminal, "
        "and at every agent: which servers go through the wall, which entries lead nowhere, and "
        "which servers do not start or answer. Each server, those of config.toml too, is started "
        "for a moment, as its agent would, and each remote one is asked; what a project's files "
        "name is started only when you say so.",
        epilog="Exit code: 0 nothing is wrong, 1 something is.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--no-start", action="store_true", help="start and ask no servers")
    parser.add_argument(
        "--project",
        action="store_true",
        help="start what this project's files name as well; they may be somebody else's",
    )
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=20.0,
        metavar="SECONDS",
        help="how long a server may take to answer (default: %(default)g)",
    )
    parser.set_defaults(func=run)


def _seconds(text: str) -> float:
    try:
        if 0 < (seconds := float(text)) < math.inf:
            return seconds
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"write a number of seconds above 0, not {text!r}")


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 when something is wrong."""
    from mcpwall.cli.finding import Level
    from mcpwall.text import ascii_json

    findings = []
    for finding in _look(arguments):
        findings.append(finding)
        if not arguments.json:
            for line in _lines(finding):
                print(line, flush=True)
    bad = sum(finding.level is Level.WRONG for finding in findings)
    if arguments.json:
        told = {"ok": not bad, "findings": [asdict(one) for one in findings]}
        print(ascii_json(told, indent=2))
    else:
        print()
        print(_summary(findings))
    return FAILED if bad else 0


def _summary(findings: list[Finding]) -> str:
    """How many things are wrong, and how many servers any agent calls without a wall."""
    from mcpwall.cli.checkup_agents import UNGUARDED
    from mcpwall.cli.finding import Level

    bad = sum(finding.level is Level.WRONG for finding in findings)
    said = f"{bad} things are wrong" if bad > 1 else "1 thing is wrong"
    unguarded = sum(finding.text == UNGUARDED for finding in findings)
    if unguarded:
        servers = "1 server is" if unguarded == 1 else f"{unguarded} servers are"
        return f"{said if bad else 'nothing is wrong'}; {servers} not guarded yet: mcpwall init"
    return said if bad else "all is well"


def _look(arguments: argparse.Namespace) -> Iterator[Finding]:
    from mcpwall.cli import checkup, checkup_agents, checkup_remotes
    from mcpwall.cli.routing import here
    from mcpwall.clients.survey import survey
    from mcpwall.store.config import ConfigError, load

    yield from checkup.versions()
    yield from checkup.engine()
    yield from checkup.rules()
    yield from checkup.permissions()
    yield from checkup.room()
    yield from checkup.terminal()
    at = here()
    found = list(survey(at))
    try:
        config = load(home.config_file()) if os.path.lexists(home.config_file()) else None
    except ConfigError:
        config = None  # told by checkup.rules
    yield from checkup_agents.routed(at, found, config)
    if arguments.no_start:
        return
    variables, wait = dict(os.environ), arguments.wait
    project: bool = arguments.project
    yield from checkup_agents.starting(at, found, config, variables, wait, project=project)
    if config is not None:
        yield from checkup_remotes.answering(config, wait)


def _lines(finding: Finding) -> Iterator[str]:
    from mcpwall.text import visible

    yield f"{_SIGNS[finding.level]} {visible(finding.topic)}: {visible(finding.text)}"
    if finding.todo:
        yield f"    {visible(finding.todo)}"
    for line in finding.said.splitlines()[-_SAID_LINES:]:
        yield f"    | {visible(line)}"
