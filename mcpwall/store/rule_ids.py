"""The ids of rules: as written, or else made from what the rule selects.

Limits are counted under a rule's id, so the id of a rule that has none must outlive what people
often do: moving it, commenting it, turning it off, changing a maximum or a reason. It is taken
from the rest: which calls the rule is about and what it counts. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from mcpwall.model import Rule


_LATER = ("after", "hide", "more_than", "reach", "reads", "repeat")


class SameIdError(ValueError):
    """Two different rules are given the same id; `first` and `second` are their places."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"rules {first} and {second} have the same id")
        self.first = first
        self.second = second


def derived_id(rule: Rule) -> str:
    """The letter r and six hex digits over selectors, conditions, and what limits count."""
    limit, budget = rule.rate_limit, rule.budget
    parts: list[Any] = [
        sorted(set(patterns))
        for patterns in (rule.server, rule.tool, rule.agent, rule.method, rule.risk)
    ]
    parts.append(sorted({_canonical([test.argument, test.op, test.value]) for test in rule.when}))
    parts.append([limit.window_s, limit.per] if limit else None)
    parts.append([budget.sum, budget.window_s, budget.per] if budget else None)
    # What is said of earlier calls is added only where it is said: other ids stay what they were.
    more = {key: getattr(rule, key) for key in _LATER if getattr(rule, key)}
    if apart := [each.per_argument for each in (limit, budget) if each and each.per_argument]:
        more["per_argument"] = apart
    if more:
        parts.append(msgspec.to_builtins(more))
    return "r" + hashlib.sha256(_canonical(parts).encode()).hexdigest()[:6]


def with_ids(rules: Sequence[Rule]) -> list[Rule]:
    """The same rules in the same order, each with an id; equal ids mean equal rules.

    Raises SameIdError.
    """
    contents = [_content(rule) for rule in rules]
    places: dict[str, int] = {}  # of the ids that are written
    for at, rule in enumerate(rules):
        first = places.setdefault(rule.id, at) if rule.id else at
        if contents[first] != contents[at]:
            raise SameIdError(first, at)
    ids = {(rule.id, contents[at]): rule.id for at, rule in enumerate(rules) if rule.id}
    numbers: Counter[str] = Counter()
    named: list[Rule] = []
    for rule, content in zip(rules, contents, strict=True):
        name = rule.id
        if not name:
            base = derived_id(rule)
            if (base, content) not in ids:
                ids[base, content] = _unused(base, numbers, places)
            name = ids[base, content]
        named.append(msgspec.structs.replace(rule, id=name))
    return named


def _unused(base: str, numbers: Counter[str], taken: Container[str]) -> str:
    """The next of base, base-2, base-3… that no rule was given; counted in `numbers`."""
    while True:
        numbers[base] += 1
        name = base if numbers[base] == 1 else f"{base}-{numbers[base]}"
        if name not in taken:
            return name


def unique(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules without repetitions, each where it stands first."""
    first: dict[str, Rule] = {}
    for rule in rules:
        first.setdefault(rule.id, rule)
    return tuple(first.values())


def _content(rule: Rule) -> str:
    """What a rule says, whatever it is called and wherever it stands."""
    # as text: 1, 1.0 and true are equal values in Python, but not the same rule
    return _canonical(msgspec.to_builtins(msgspec.structs.replace(rule, id="", origin=None)))


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
