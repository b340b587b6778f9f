"""Conditions of a policy, `{path, op, value}`, in the words of a deny rule's `when`.

A deny rule matches whenever a condition may hold, so doubt (a missing argument, another type) is
on the side of denying. That is what `require` wants, whose conditions are turned round here: the
rule denies unless the condition surely holds. In `deny_if` a missing argument meets no condition,
so there `exists = true` stands beside the operator; only for "not equal" and "not in" a missing
argument counts as different, since programs do not agree on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mcpwall.importers.outcome import PolicyError
from mcpwall.policy.arguments import escape_name
from mcpwall.store.forms import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mcpwall.model import JsonObject

ARGS: Final = "args."

# operator of a policy -> ours, and ours that says the opposite
OPERATORS: Final = {
    "eq": ("equals", "not_equals"),
    "neq": ("not_equals", "equals"),
    "in": ("in", "not_in"),
    "not_in": ("not_in", "in"),
    "lt": ("lt", "gte"),
    "lte": ("lte", "gt"),
    "gt": ("gt", "lte"),
    "gte": ("gte", "lt"),
    "regex": ("regex", "not_regex"),
    "contains": ("contains", "not_contains"),
    "exists": ("exists", "exists"),
}
_NEEDS_A_VALUE: Final = ("eq", "in", "lt", "lte", "gt", "gte", "regex", "contains")


def denies_unless(condition: Mapping[str, Any], where: str) -> JsonObject:
    """The `when` of a rule that denies every call for which the condition does not surely hold.

    Raises PolicyError.
    """
    path, op, value = _parts(condition, where)
    opposite = not value if op == "exists" else value
    return {path: {OPERATORS[op][1]: opposite}}


def denies_if(conditions: Iterable[Mapping[str, Any]], where: str) -> JsonObject:
    """The `when` of a rule that denies every call for which all the conditions hold.

    Raises PolicyError.
    """
    when: JsonObject = {}
    for number, condition in enumerate(conditions):
        place = f"{where}.{number}"
        path, op, value = _parts(condition, place)
        tests = {OPERATORS[op][0]: value}
        if op in _NEEDS_A_VALUE and condition["path"].startswith(ARGS):
            tests = {"exists": True, **tests}
        for name, operand in tests.items():
            known = when.setdefault(path, {}).setdefault(name, operand)
            if known != operand:
                raise PolicyError(
                    f"{place}: one rule cannot hold two conditions {name!r} on {path!r}; "
                    "say it in one condition"
                )
    return when


def argument(path: str, where: str) -> str:
    """The argument that a policy's path means, as a path of ours. Raises PolicyError."""
    steps = path.removeprefix(ARGS).split(".")
    if path.startswith("state.") or path == "args":
        raise PolicyError(f"{where}: {path!r} is no argument; write args.NAME")
    if not all(steps) or any(sign in path for sign in "[]*\\"):
        raise PolicyError(f"{where}: {path!r} is no path of names with dots between them")
    return ".".join(map(escape_name, steps))


def _parts(condition: Mapping[str, Any], where: str) -> tuple[str, str, Any]:
    """Our path, the policy's operator, and the value, which that operator can take."""
    op, value = condition["op"], condition["value"]
    if op not in OPERATORS:
        hint = nearest(op, OPERATORS) or "known are " + ", ".join(OPERATORS)
        raise PolicyError(f"{where}: unknown operator {op!r}; {hint}")
    if op == "exists" and not isinstance(value, bool):
        raise PolicyError(f"{where}: exists takes true or false")
    if op == "regex" and not isinstance(value, str):
        raise PolicyError(f"{where}: regex takes a text")
    if op == "contains" and isinstance(value, list | dict):
        raise PolicyError(f"{where}: contains takes a text, a number, or true or false")
    return argument(condition["path"], where), op, value
