"""`[[rules]]`: every key that a rule may have, and how each is read.

What the keys mean is in docs/rules.md; whether a condition makes sense is `policy.compiled`'s to
say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mcpwall.model import Action, After, Budget, Condition, Per, RateLimit, Reach, Reads, Risk
from mcpwall.store.forms import (
    BadValueError,
    Problem,
    Reader,
    bad,
    choice,
    flag,
    kind,
    patterns,
    plain,
    shown,
    table,
    text,
)
from mcpwall.store.quantities import amount, count, duration

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_RATE: Final = re.compile(r"(\d{1,9}) ?(?:/|per) ?(\d{0,9}) ?([a-z]+)", re.ASCII)
_RATE_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86400),
}
_MAX_REASON: Final = 500


def _identifier(value: Any) -> str:
    if not _ID.fullmatch(text(value)):
        raise bad(
            f"is {shown(value)}", "use up to 64 letters, digits, '-', '_' and '.', no other first"
        )
    return str(value)


def _reason(value: Any) -> str:
    if len(text(value)) > _MAX_REASON:
        raise bad(f"has {len(value)} characters", f"write at most {_MAX_REASON}")
    return str(value)


def _action(value: Any) -> Action:
    return Action(choice([*Action])(value))


def tightening(value: Any) -> Action:
    """An action that a project's file may name: one that permits nothing."""
    action = _action(value)
    if action in (Action.ALLOW, Action.APPROVE):
        raise bad(
            f"is {action.value!r}, but a project's file may only tighten",
            "put this into your own config.toml",
        )
    return action


def _some(names: type[Risk | Reach | Reads]) -> Reader:
    """A reader of one or several of these words."""
    one = choice([*names])
    return lambda value: tuple(names(one(item)) for item in patterns(value))


def _conditions(value: Any) -> tuple[Condition, ...]:
    """`when`: for each argument a plain value (equals), or a table of operators, all required."""
    if not isinstance(value, dict):
        raise bad(f"must be a table, not {kind(value)}", 'write when = { path = { glob = "…" } }')
    if not value:
        raise bad("is empty", "leave the key out to match all arguments")
    conditions: list[Condition] = []
    problems: list[Problem] = []
    for argument, test in value.items():
        tests = test if isinstance(test, dict) else {"equals": test}
        try:
            if not tests:
                raise bad("has no operator", 'write for example { glob = "…" }')
            conditions += [
                Condition(argument=argument, op=op, value=plain(operand))
                for op, operand in tests.items()
            ]
        except BadValueError as error:
            problems += [problem.under(argument) for problem in error.problems]
    if problems:
        raise BadValueError(*problems)
    return tuple(conditions)


_COUNTED: Final[Mapping[str, Reader]] = {
    "window": duration,
    "per": choice([*Per]),
    "per_argument": text,
}
RATE_LIMIT: Final[Mapping[str, Reader]] = {"max": count, **_COUNTED}
BUDGET: Final[Mapping[str, Reader]] = {"sum": text, "max": amount, **_COUNTED}
AFTER: Final[Mapping[str, Reader]] = {
    "server": patterns,
    "tool": patterns,
    "method": patterns,
    "risk": _some(Risk),
    "reach": _some(Reach),
    "reads": _some(Reads),
    "within": duration,
}


def _after(value: Any) -> After:
    """Which earlier calls, and how long ago at most."""
    read = table(AFTER, "after")(value)
    within_s = read.pop("within", None)
    if not read:
        raise bad("names no calls", 'write for example { reads = "secrets" } or { tool = "get_*" }')
    return After(**read, within_s=within_s)


def _rate(name: str) -> Reader:
    """A reader of `{ max, window, per }`, or "10/minute", "10/60s", "10 per minute"."""
    return lambda value: _rate_limit(value, name)


def _rate_limit(value: Any, name: str) -> RateLimit:
    if not isinstance(value, str):
        read = table(RATE_LIMIT, name, required=("max", "window"))(value)
        per = Per(read.get("per", Per.TOOL))
        return RateLimit(read["max"], read["window"], per, read.get("per_argument", ""))
    found = _RATE.fullmatch(value)
    if not found or found[3] not in _RATE_UNITS:
        fix = 'write "10/minute", "10/60s" or { max = 10, window = "60s" }'
        raise bad(f"is {shown(value)}", fix)
    window = int(found[2] or 1) * _RATE_UNITS[found[3]]
    return RateLimit(count(int(found[1])), duration(window))


def _budget(value: Any) -> Budget:
    read = table(BUDGET, "budget", required=("sum", "max", "window"))(value)
    if not read["sum"]:
        raise BadValueError(Problem(("sum",), "must name an argument", subject="sum"))
    per = Per(read.get("per", Per.TOOL))
    apart = read.get("per_argument", "")
    return Budget(read["sum"], read["max"], read["window"], per, apart)


RULE: Final[Mapping[str, Reader]] = {
    "id": _identifier,
    "server": patterns,
    "tool": patterns,
    "agent": patterns,
    "method": patterns,
    "risk": _some(Risk),
    "reach": _some(Reach),
    "reads": _some(Reads),
    "when": _conditions,
    "after": _after,
    "repeat": count,
    "more_than": _rate("more_than"),
    "action": _action,
    "hide": flag,
    "rate_limit": _rate("rate_limit"),
    "budget": _budget,
    "reason": _reason,
    "enabled": flag,
}
PROJECT_RULE: Final[Mapping[str, Reader]] = {**RULE, "action": tightening}

RULE_TABLE: Final = table(RULE, "[[rules]]")
PROJECT_RULE_TABLE: Final = table(PROJECT_RULE, "[[rules]]")
