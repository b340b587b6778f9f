"""One test of `when`: where it looks, what it asks there, and what follows when that is unclear.

A rule that restrains (deny, ask, limit, budget) matches where a test *may* hold: some value
satisfies it or cannot be evaluated. A rule that permits (allow, approve) matches only where it
*surely* holds: there is a value, and every value satisfies it. So an odd argument never gets more
than a plain one; docs/decisions/0010-three-valued-conditions.md tells why.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mcpwall.model import Condition, JsonObject
from mcpwall.policy.arguments import ANY, LEAVES_MAX, Gap, compile_path, compile_presence
from mcpwall.policy.hosts import urls_in
from mcpwall.policy.operators import OPERATORS, Check, Resolve, Truth
from mcpwall.policy.paths import path_in

NOT = "not_"


class ConditionError(ValueError):
    """A condition that cannot be compiled. `key` is where, below `when`: `path.regex`."""

    def __init__(self, condition: Condition, message: str) -> None:
        self.key = f"{condition.argument}.{condition.op}" if condition.op else condition.argument
        super().__init__(message)


class Clause:
    """A compiled condition. Raises nothing for any arguments; see `resolve` in state.State."""

    __slots__ = ("_check", "_leaves", "_seen", "looks_up_paths")

    def __init__(self, condition: Condition) -> None:
        """Raises ConditionError."""
        argument, op = condition.argument, condition.op
        base = op.removeprefix(NOT)
        build = OPERATORS.get(base)
        if build is None or (base != op and base not in _NEGATED):
            raise ConditionError(condition, _unknown_operator(op))
        if argument == ANY and base == "secret":
            argument = ""  # names tell of secrets too: it looks at the arguments as a whole
        if argument == ANY and base not in _ON_TEXT:
            raise ConditionError(
                condition,
                f'"any" stands for texts: it takes {", ".join(_ON_TEXT)}, secret, not {op}',
            )
        try:
            check = build(condition.value)
            self._leaves = (compile_presence if base == "exists" else compile_path)(argument)
        except (ValueError, TypeError) as error:
            raise ConditionError(condition, str(error)) from error
        self._check = check if base == op else _negation(check)
        self._seen = _ON_TEXT[base] if argument == ANY else None
        self.looks_up_paths = base == "under"

    def may_hold(self, arguments: JsonObject, directory: str, resolve: Resolve) -> bool:
        """Whether any value satisfies the test or cannot be evaluated."""
        leaves = self._leaves(arguments)
        if self._seen is not None:
            leaves = _first(part for leaf in leaves for part in self._seen(leaf))
        for leaf in leaves:  # noqa: SIM110 - any() takes twice as long, on every call
            if self._check(leaf, directory, resolve) is not False:
                return True
        return False

    def surely_holds(self, arguments: JsonObject, directory: str, resolve: Resolve) -> bool:
        """Whether there is at least one value and every value satisfies the test."""
        leaves = self._leaves(arguments)
        for leaf in leaves:
            if self._check(leaf, directory, resolve) is not True:
                return False
        return bool(leaves)


def _first(parts: Iterator[Any]) -> list[Any]:
    """At most LEAVES_MAX parts; where there are more, one stands for them that says nothing."""
    found = list(itertools.islice(parts, LEAVES_MAX + 1))
    if len(found) > LEAVES_MAX:
        found[-1] = Gap.BROKEN
    return found


def _negation(check: Check) -> Check:
    def negated(leaf: Any, directory: str, resolve: Resolve) -> Truth:
        truth = check(leaf, directory, resolve)
        return None if truth is None else not truth

    return negated


def _unknown_operator(op: str) -> str:
    known = operators()
    nearest = difflib.get_close_matches(op, known, 1, 0.5)
    hint = f', did you mean "{nearest[0]}"?' if nearest else ""
    return (
        f'unknown operator "{op}"{hint or ": known are " + ", ".join(known)}'
        ' (a field of an argument is written in quotes: "user.name")'
    )


def operators() -> tuple[str, ...]:
    """Every operator's name, negations included."""
    return (*OPERATORS, *(NOT + name for name in _NEGATED))


def _itself(leaf: Any) -> Iterable[Any]:
    return (leaf,)


def _urls(leaf: Any) -> Iterable[Any]:
    return urls_in(leaf) if isinstance(leaf, str) else (leaf,)


def _paths(leaf: Any) -> Iterable[Any]:
    """A text that can be a path as a whole; prose and file contents are none."""
    path = path_in(leaf) if isinstance(leaf, str) else leaf
    return () if path is None else (path,)


_NEGATED = ("equals", "in", "contains", "glob", "regex", "under", "host")
# Operators that "any" takes, and what of a text they look at when a rule restrains.
_ON_TEXT: dict[str, Callable[[Any], Iterable[Any]]] = {
    "contains": _itself,
    "glob": _itself,
    "regex": _itself,
    "under": _paths,
    "host": _urls,
}
