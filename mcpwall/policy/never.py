"""Rules that can never do anything: a mistake that loading a config reports as an error.

Only what is certain is reported. Conditions on elements (`items[]`) or on `any` are not compared
with each other, because different values may satisfy them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mcpwall.model import Action, Condition, Rule
from mcpwall.policy.arguments import ANY
from mcpwall.policy.match import GlobError, covers
from mcpwall.policy.operators import exact, same

COMPARED_MAX = 2_500  # pairs of characters of one rule's patterns
# Methods that no rule reaches: protocol.methods hands them on. A test compares the two.
HOUSEKEEPING = frozenset(
    {
        "initialize",
        "server/discover",
        "ping",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "resources/unsubscribe",
        "logging/setLevel",
        "subscriptions/listen",
        "tasks/list",
    }
)
_LISTS = ("in", "contains", "glob", "regex", "under", "host")


def why_never(rule: Rule) -> str | None:
    """A sentence that says why `rule` can never match or do anything, or None when it may."""
    if rule.hide:
        return _hides_more(rule)
    if rule.action is None and rule.rate_limit is None and rule.budget is None:
        return "it does nothing: give it an action, hide, a rate_limit or a budget"
    if rule.action is Action.DENY and (rule.rate_limit or rule.budget):
        limit = "rate_limit" if rule.rate_limit else "budget"
        return f"its {limit} never counts, because it denies every call: a limit denies by itself"
    if reason := _no_names(rule):
        return reason
    if rule.after is not None:
        for key in ("server", "tool", "method"):
            if reason := _no_name(f"after.{key}", getattr(rule.after, key)):
                return reason
    if rule.method and set(rule.method) <= HOUSEKEEPING:
        return f"method: {', '.join(rule.method)} is housekeeping of the protocol, always handed on"
    for condition in rule.when:
        if reason := _never_alone(condition):
            return reason
    return next(_contradictions(rule.when), None)


def _hides_more(rule: Rule) -> str | None:
    """Why a rule that hides tools says more than it can mean, or None."""
    if rule.action not in (None, Action.DENY) or rule.rate_limit or rule.budget:
        return "a tool that is hidden cannot be called: take out hide, or all that permits calls"
    if rule.when or rule.method or rule.looks_back():
        return (
            "hide is decided when tools are listed, so it goes by server, tool, agent, risk, reach "
            "and reads alone: take out the conditions on calls"
        )
    return _no_names(rule)


def _no_names(rule: Rule) -> str | None:
    for key in ("server", "tool", "agent", "method"):
        if reason := _no_name(key, getattr(rule, key)):
            return reason
    return None


def _no_name(key: str, patterns: Sequence[str]) -> str | None:
    if "" in patterns or "!" in patterns:
        return f'{key}: an empty pattern matches no name; write "*" for every name'
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    without = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    if sum(map(len, wanted)) * sum(map(len, without)) > COMPARED_MAX:
        return None  # a stranger's file must not keep the engine busy
    try:
        gone = all(any(covers(out, name) for out in without) for name in wanted)
    except GlobError:  # reported by compiling
        return None
    return f'{key}: every name is taken out again by "!"' if gone else None


def _never_alone(condition: Condition) -> str | None:
    name, op, value = condition.argument, condition.op, condition.value
    if op in _LISTS and value == []:
        return f"when.{name}.{op}: an empty list matches nothing"
    if op == "length":
        bounds = value.items() if isinstance(value, dict) else [("equals", value)]
        lengths = [Condition(name, "gte", 0), *(Condition(name, o, v) for o, v in bounds)]
        if next(_clashes(lengths), None):
            return f"when.{name}.length: nothing has such a length"
    return None


def _contradictions(conditions: Iterable[Condition]) -> Iterator[str]:
    """Sentences on conditions on one argument that no one value satisfies."""
    by_argument: dict[str, list[Condition]] = {}
    for condition in conditions:
        if condition.argument != ANY and "[]" not in condition.argument:
            by_argument.setdefault(condition.argument, []).append(condition)
    for group in by_argument.values():
        yield from _clashes(group)


def _clashes(group: Sequence[Condition]) -> Iterator[str]:
    """Pairs of conditions on one argument that exclude each other."""
    for i, one in enumerate(group):
        for other in group[i + 1 :]:
            if _excludes(one, other) or _excludes(other, one):
                both = f"{one.op} {_show(one.value)} and {other.op} {_show(other.value)}"
                yield f"when.{one.argument}: no value is {both} at once"


def _excludes(one: Condition, other: Condition) -> bool:
    """Whether no value satisfies both; looked at from `one`."""
    if one.op == "exists" and one.value is False:
        return not (other.op == "exists" and other.value is False)
    if one.op == f"not_{other.op}" and same(one.value, other.value):
        return True
    if one.op in ("gt", "gte") and other.op in ("lt", "lte", "equals"):
        return _is_above(one, other)
    if one.op == "equals" and other.op in ("lt", "lte"):
        return _is_above(Condition(one.argument, "gte", one.value), other)
    if one.op == "equals" and other.op == "equals":
        return not same(one.value, other.value)
    if one.op == "equals" and other.op == "in" and isinstance(other.value, list):
        return not any(same(one.value, item) for item in other.value)
    if one.op == "equals" and other.op == "not_in" and isinstance(other.value, list):
        return any(same(one.value, item) for item in other.value)
    return False


def _is_above(lower: Condition, upper: Condition) -> bool:
    """Whether the lower bound leaves nothing under the upper one."""
    low, high = exact(lower.value), exact(upper.value)
    if low is None or high is None:
        return False
    touching = lower.op == "gte" and upper.op in ("lte", "equals")
    return low > high or (low == high and not touching)


def _show(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value}"
