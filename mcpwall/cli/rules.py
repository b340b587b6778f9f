"""`mcpwall rules`: list the rules, check a rules file, judge a call without making it.

Reads the files and nothing else: no engine is asked, so limits count from zero, and an edit that
waits for a person in the app is judged as if it were in force.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcpwall import home
from mcpwall.cli.errors import USAGE, CliError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mcpwall.engine.rulebook import Rulebook
    from mcpwall.model import Call, Defaults, Rule, Verdict


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall rules`."""
    parser = subparsers.add_parser(
        "rules",
        help="list, check or test the rules",
        description="Look at the rules without the app. docs/rules.md has the whole language.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    listing = commands.add_parser(
        "list",
        help="the rules of config.toml, and of the project here",
        description="List the rules of config.toml and of each .mcpwall.toml that covers this "
        "directory, a line each. The strictest rule that matches wins, wherever it stands.",
    )
    listing.add_argument("--json", action="store_true", help="a JSON object a line, nothing cut")
    listing.set_defaults(func=run_list)

    checking = commands.add_parser(
        "check",
        help="say what is wrong in a rules file",
        description="Check a rules file. Everything that is wrong goes to stderr, a line each, "
        "with exit code 2. A file called .mcpwall.toml is checked as a project's file.",
    )
    checking.add_argument("file", nargs="?", metavar="FILE", help="default: your config.toml")
    checking.set_defaults(func=run_check)

    testing = commands.add_parser(
        "test",
        help="judge a call without making it",
        description="Judge a call as an agent in this directory would get it: the verdict, the "
        "rules that made it, and why. Limits count from zero.",
        epilog='CALL.json holds {"server": "git", "tool": "git_push", "arguments": {"remote": '
        '"origin"}, "agent": "codex", "risk": "write"}; server and tool are needed; risk, reach '
        "and reads are guessed from the names of tool and arguments when they are left out. Its "
        '"before" lists calls of the same form that the agent made just before.',
    )
    testing.add_argument("call", metavar="CALL.json", help="a file, or - for stdin")
    testing.add_argument("--config", metavar="FILE", help="rules to judge by instead of yours")
    testing.add_argument("--json", action="store_true", help="the verdict as a JSON object")
    testing.set_defaults(func=run_test)


def run_list(arguments: argparse.Namespace) -> int:
    """Print the rules, then the defaults. Raises CliError."""
    import msgspec

    from mcpwall.text import ascii_json, visible

    rulebook = _rulebook(home.config_file())
    policy, _ = _policy(rulebook)
    rules = [rule for rule, _ in rulebook.rules()]
    if arguments.json:
        for rule in rules:
            print(ascii_json(msgspec.to_builtins(rule)))
        return 0
    table = [_cells(rule) for rule in rules]
    if table:
        _print_table([("ID", "ON", "DO", "WHEN", "LIMIT", "FROM"), *table])
    else:
        print(visible(f"no rules in {home.config_file()}"))
    print(_defaults(policy.defaults))
    for server, risks in rulebook.config.risks.items():
        for tool, said in risks.items():
            place = f"{said.origin.file}:{said.origin.line}"
            print(visible(f"set by you: {server}.{tool} {said.risk} ({place})"))
    return 0


def run_check(arguments: argparse.Namespace) -> int:
    """Load one file and say what is wrong in it; 0 or 2. Raises CliError."""
    from mcpwall.engine.projects import PROJECT_FILE
    from mcpwall.store.config import ConfigError, load
    from mcpwall.text import visible

    path = arguments.file or home.config_file()
    if not arguments.file and not Path(path).exists():
        print(visible(f"{path}: not there yet; the built-in defaults are in force"))
        return 0
    try:
        config = load(path, project=Path(path).name == PROJECT_FILE, name=path)
    except ConfigError as error:
        for one in error.errors:
            print(visible(str(one)), file=sys.stderr)
        return USAGE
    count = len(config.rules)
    print(visible(f"{path}: {count} {'rule' if count == 1 else 'rules'}, nothing wrong"))
    return 0


def run_test(arguments: argparse.Namespace) -> int:
    """Judge the call in a file and print the verdict. Raises CliError."""
    import msgspec

    from mcpwall.cli.call_file import read_call
    from mcpwall.engine.resolve import resolve
    from mcpwall.policy.answers import Answers
    from mcpwall.policy.flow import Flows
    from mcpwall.policy.judge import judge
    from mcpwall.policy.limits import Limits
    from mcpwall.policy.state import State, ToolState
    from mcpwall.text import ascii_json

    file = "stdin" if arguments.call == "-" else arguments.call
    rulebook = _rulebook(arguments.config or home.config_file())
    call, why_risk, before = read_call(
        _text(arguments.call), file, str(Path.cwd()), rulebook.config.word
    )
    policy, places = _policy(rulebook)
    flows = Flows()
    for earlier in before:
        flows.forwarded(earlier, 0)
    state = State(
        now_ns=0,
        limits=Limits(),
        flows=flows,
        answers=Answers(),
        lockdown=False,
        tool=ToolState.LISTED,
        approved=False,
        resolve=resolve,
    )
    verdict = judge(call, policy, state)
    if arguments.json:
        plain = {**msgspec.to_builtins(verdict), "risk": call.risk, "why_risk": why_risk}
        print(ascii_json(plain))
    else:
        _print_verdict(call, why_risk, verdict, places)
    return 0


def _text(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", USAGE) from None
    except UnicodeDecodeError:
        raise CliError(f"{path}: this is not UTF-8", USAGE) from None


def _rulebook(path: str) -> Rulebook:
    from mcpwall.engine.rulebook import Rulebook
    from mcpwall.store.config import ConfigError

    try:
        return Rulebook(path)
    except ConfigError as error:
        raise CliError(f"{error} (`mcpwall rules check` says all)", USAGE) from None


def _policy(rulebook: Rulebook) -> tuple[Any, dict[str, str]]:
    """The policy for an agent in this directory, and where each of its rules stands."""
    policy, fault = rulebook.policy(str(Path.cwd()))
    if fault:
        raise CliError(fault, USAGE)
    return policy, {rule.id: _place(rule) for rule, _ in rulebook.rules()}


def _print_verdict(call: Call, why_risk: str, verdict: Verdict, places: dict[str, str]) -> None:
    from mcpwall.text import visible

    print(visible(f"{verdict.action}  {call.server}.{call.tool}"))
    rules = ", ".join(f"{rule} ({places.get(rule, 'built in')})" for rule in verdict.rules)
    lines = (
        ("why", verdict.reason),
        ("rules", rules or "none"),
        ("risk", f"{call.risk}: {why_risk}"),
        ("policy", verdict.policy),
    )
    for name, value in lines:
        print(f"  {name:<7} {visible(value)}")


def _cells(rule: Rule) -> tuple[str, ...]:
    action = "hide" if rule.hide else str(rule.action) if rule.action else "limit"
    on = "on" if rule.enabled else "off"
    return (rule.id, on, action, _when(rule), _limits(rule), _place(rule))


def _when(rule: Rule) -> str:
    """Which calls a rule is about, in the words of the file."""
    name = f"{_one_of(rule.server)}.{_one_of(rule.tool)}"
    parts = [name if rule.server or rule.tool else "*"]
    for key, patterns in (
        *(("agent", rule.agent), ("method", rule.method), ("risk", rule.risk)),
        *(("reach", rule.reach), ("reads", rule.reads)),
    ):
        if patterns:
            parts.append(f"{key} {_one_of(patterns)}")
    tests = (
        f"{test.argument} {test.op} {json.dumps(test.value, ensure_ascii=False)}"
        for test in rule.when
    )
    return "  ".join((*parts, *tests, *rule.looks_back()))


def _one_of(patterns: Sequence[str]) -> str:
    return ",".join(patterns) or "*"


def _limits(rule: Rule) -> str:
    from mcpwall.model import span

    parts = []
    if limit := rule.rate_limit:
        parts.append(f"{limit.max} in {span(limit.window_s)}{limit.apart() or ' per tool'}")
    if budget := rule.budget:
        every = f"{span(budget.window_s)}{budget.apart() or ' per tool'}"
        parts.append(f"{budget.sum} {budget.max} in {every}")
    return ", ".join(parts)


def _place(rule: Rule) -> str:
    return f"{rule.origin.file}:{rule.origin.line}" if rule.origin else ""


def _defaults(defaults: Defaults) -> str:
    """What happens where no rule decides, on one line."""
    from mcpwall.model import Risk

    classes = ", ".join(f"{risk} {getattr(defaults, risk)}" for risk in Risk)
    return f"no rule: {classes}; other requests {defaults.other_methods}"


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    from mcpwall.text import visible, width

    safe = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*safe, strict=True)]
    for row in safe:
        padded = (
            cell + " " * (cells - width(cell)) for cell, cells in zip(row, widths, strict=True)
        )
        print("  ".join(padded).rstrip())
