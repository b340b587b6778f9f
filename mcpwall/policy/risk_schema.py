"""What the arguments of a tool say: code, SQL, a choice of actions, a file to write, an address.

Pure, and bounded on schemas of any depth and size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mcpwall.model import JsonObject, Risk
from mcpwall.policy import verbs
from mcpwall.policy.findings import Finding, quoted, words_of, worst
from mcpwall.policy.risk_name import from_name

ARGUMENTS_MAX = 400  # arguments, nested ones included, that are looked at
CHOICES_MAX = 200  # values of every `enum` together
BRANCHES_MAX = 50  # of one anyOf, oneOf or allOf
DEPTH_MAX = 6  # levels of nesting
_NESTING = ("items", "anyOf", "oneOf", "allOf")


class Seen(NamedTuple):
    """What is known of a tool before its schema is looked at."""

    words: list[str]  # of its name
    named: Finding | None  # what its name says
    sql: bool  # its description speaks of SQL
    promised: bool  # its description says that its queries are read-only


def from_schema(schema: JsonObject, seen: Seen) -> Finding | None:
    """What a tool's input schema says, beside what was seen of its name and description."""
    found: list[Finding | None] = []
    every: set[str] = set()
    left = CHOICES_MAX
    arguments = list(arguments_of(schema))
    if len(arguments) > ARGUMENTS_MAX:
        found.append(Finding(Risk.WRITE, f"it takes more than {ARGUMENTS_MAX} arguments"))
    for name, argument in arguments:
        words = words_of(name)
        every.add("_".join(words))
        choices = _enum(argument)[:left]
        if not choices and not _is_object(argument):
            found.append(_code(name, words, seen))
        found.append(_file(name, words, seen))
        if words and words[-1] in verbs.CHOICES:
            found.append(_choices(name, choices))
            left -= len(choices)
        if not choices and name in verbs.DOES and not _surely_reads(seen):
            found.append(Finding(Risk.WRITE, f"its argument {quoted(name)} says what it does"))
    if (commits := every & verbs.COMMITS) and not _looks(seen):
        why = f"its argument {quoted(min(commits))} is of use only to what changes something"
        found.append(Finding(Risk.WRITE, why))
    if every & verbs.ADDRESSES and (sent := every & verbs.PAYLOADS):
        why = f'its argument "{min(sent)}" can be sent to any address'
        found.append(Finding(Risk.WRITE, why))
    return worst(found)


def arguments_of(schema: Any) -> Iterator[tuple[str, Any]]:
    """Names and schemas of arguments, nested ones after those above them, one over the bound."""
    level = [schema]
    left = ARGUMENTS_MAX
    for _ in range(DEPTH_MAX):
        below: list[Any] = []
        for part in level:
            if not isinstance(part, dict):
                continue
            properties = part.get("properties")
            for name, argument in properties.items() if isinstance(properties, dict) else ():
                yield str(name), argument
                if left == 0:
                    return
                left -= 1
                below.append(argument)
            for key in _NESTING:
                inner = part.get(key)
                below += inner[:BRANCHES_MAX] if isinstance(inner, list) else [inner]
        level = below[:ARGUMENTS_MAX]


def _code(name: str, words: list[str], seen: Seen) -> Finding | None:
    """An argument that is run: a tool that says that it only looks at it is believed."""
    if _looks(seen):
        return None
    joined = "_".join(words)
    reads = seen.named is not None and seen.named.risk is Risk.READ
    if joined in verbs.SHELL or (joined in verbs.CODE and not reads):
        return Finding(Risk.EXECUTE, f"its argument {quoted(name)} carries code")
    if joined in verbs.SQL or (joined == "query" and "query" in seen.words and seen.sql):
        if seen.promised:
            why = f"its argument {quoted(name)} carries SQL, which it says is only read"
            return Finding(Risk.READ, why)
        return Finding(Risk.WRITE, f"its argument {quoted(name)} carries SQL")
    return None


def _looks(seen: Seen) -> bool:
    """Whether a tool says by its name that it only looks at what it is given."""
    return seen.named is not None and seen.named.verb in verbs.LOOKS


def _surely_reads(seen: Seen) -> bool:
    """Whether a reading verb, not only a noun, stands in the name: `list_x`, not `x_history`."""
    return seen.named is not None and seen.named.risk is Risk.READ and seen.named.sure


def _file(name: str, words: list[str], seen: Seen) -> Finding | None:
    """An argument that names a file to write; a picture's bare `filename` names no place."""
    last = words[-1] if words else ""
    writes = last in verbs.FILES and not verbs.OUTPUTS.isdisjoint(words[:-1])
    places = last in verbs.PLACES and not verbs.PICTURES.isdisjoint(seen.words)
    if writes or places:
        return Finding(Risk.WRITE, f"its argument {quoted(name)} names a file to write")
    return None


def _is_object(argument: Any) -> bool:
    """Whether an argument is a structure, which no shell runs."""
    return isinstance(argument, dict) and argument.get("type") == "object"


def _enum(argument: Any) -> list[Any]:
    choices = argument.get("enum") if isinstance(argument, dict) else None
    return choices if isinstance(choices, list) else []


def _choices(name: str, choices: list[Any]) -> Finding | None:
    """The worst that an argument can choose: `{"enum": ["list", "delete"]}`."""
    found = [
        Finding(finding.risk, f"its argument {quoted(name)} can be {quoted(choice)}")
        for choice in choices
        if isinstance(choice, str)
        and (finding := from_name(words_of(choice))) is not None
        and finding.risk is not Risk.READ
    ]
    return worst(found)
