"""What a PolicyLayer policy means, as plainly as it can be said: from the format's page alone.

A missing argument fails every operator but `exists: false`. Time is in seconds, windows slide, and
one agent makes all calls.
"""

from __future__ import annotations

import re
from typing import Any

WINDOWS = {"minute": 60, "hour": 3_600, "day": 86_400}
MISSING = object()
BROKEN = object()  # something on the way has no fields
Done = list[tuple[str, float]]  # the tools of calls that went through, and when


def value_at(path: str, arguments: dict[str, Any]) -> Any:
    value: Any = arguments
    for step in path.removeprefix("args.").split("."):
        if not isinstance(value, dict):
            return BROKEN
        if step not in value:
            return MISSING
        value = value[step]
    return value


def kind(value: Any) -> str:
    for name, types in (("truth", bool), ("number", (int, float)), ("text", str), ("list", list)):
        if isinstance(value, types):
            return name
    return "other"


def equal(one: Any, other: Any) -> bool:
    return kind(one) == kind(other) and one == other


def holds(condition: dict[str, Any], arguments: dict[str, Any]) -> bool:
    value, op, wanted = value_at(condition["path"], arguments), condition["op"], condition["value"]
    if op == "exists":
        return (value not in (MISSING, BROKEN, None)) is wanted
    if value is MISSING or value is BROKEN:
        return False
    number = kind(value) == "number"
    return {
        "eq": lambda: equal(value, wanted),
        "neq": lambda: not equal(value, wanted),
        "in": lambda: any(equal(value, one) for one in wanted),
        "not_in": lambda: not any(equal(value, one) for one in wanted),
        "lt": lambda: number and value < wanted,
        "lte": lambda: number and value <= wanted,
        "gt": lambda: number and value > wanted,
        "gte": lambda: number and value >= wanted,
        "regex": lambda: kind(value) == "text" and re.search(wanted, value) is not None,
        "contains": lambda: (
            (wanted in value)
            if kind(value) == kind(wanted) == "text"
            else kind(value) == "list" and any(equal(one, wanted) for one in value)
        ),
    }[op]()


def is_odd(condition: dict[str, Any], arguments: dict[str, Any]) -> bool:
    """Whether the page leaves open what the condition says of these arguments."""
    value, op, wanted = value_at(condition["path"], arguments), condition["op"], condition["value"]
    if value is MISSING:
        return op in ("neq", "not_in")
    if value is None or value is BROKEN:
        return True
    if op in ("in", "not_in"):
        return kind(value) not in map(kind, wanted)
    if op == "contains":
        return kind(value) not in (kind(wanted) if kind(wanted) == "text" else "", "list")
    return op != "exists" and kind(value) != kind(wanted)


def evaluate(
    policy: dict[str, Any], name: str, arguments: dict[str, Any], done: Done, now: float
) -> str:
    """ "allow", "ask" or "deny"."""
    tools = policy["tools"]
    hide = policy.get("hide", [])
    if name in hide or "*" in hide or (policy["default"] == "deny" and name not in tools):
        return "deny"
    tool = tools.get(name, {})
    for condition in tool.get("require", []):
        if not holds(condition, arguments):
            return "deny"
    for entry in tool.get("deny_if", []):
        if all(holds(condition, arguments) for condition in entry["conditions"]):
            return "deny"
    limits = [(one, name) for one in tool.get("limits", [])]
    limits += [(one, None) for one in policy.get("all_tools", {}).get("limits", [])]
    if "rate_limit" in tool:
        limits.append((tool["rate_limit"], name))
    for limit, counted in limits:
        window = WINDOWS.get(limit["window"], limit["window"])
        used = [1 for called, at in done if counted in (None, called) and at > now - window]
        if len(used) >= limit["max"]:
            return "deny"
    return {"deny": "deny", "require_approval": "ask"}.get(tool.get("action"), "allow")
