"""What a person should look at twice in a tool's definition, or in a server's instructions. Pure.

Hints, never part of a verdict: on public collections of poisoned definitions such looks find some
and miss many, and now and then they point at a harmless one. Pins and rules carry the weight. A
bounded part of a definition is looked at: TEXT_MAX bytes.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

import re2

from mcpwall.policy.match import regex_options

TEXT_MAX: Final = 64 * 1024  # bytes of a definition
LEAVES_MAX: Final = 2_000
_NEWLINES: Final = frozenset("\n\r\t")

# Each: what it says to a person, and an expression over small letters.
_AIMED: Final = (
    (
        "it tells the model to keep something from the user",
        (
            r"\b(do not|don't|never|without) (\w+ )?(tell|mention|inform|notify|show|reveal)(ing)? "
            r"(\w+ ){0,6}(user|human|person)\b"
        ),
    ),
    (
        "it tells the model to leave other instructions aside",
        (
            r"\b(ignore|disregard|forget|override) (\w+ ){0,3}(previous|prior|above|earlier|other) "
            r"(\w+ ){0,2}(instruction|prompt|rule|direction|message)"
        ),
    ),
    (
        "it speaks of files or variables that hold secrets",
        (
            r"~/\.ssh|\bid_rsa\b|\.aws/credentials|\.cursor/mcp\.json|\.claude\.json"
            r"|\b(output|contents?|values?) of (`|')?(env|printenv|\.env)\b"
            r"|\benvironment variables\b.{0,80}\b(pass|send|include|append)"
        ),
    ),
    (
        "it has a tag that looks like a prompt's",
        r"</?(important|system|instructions?|secret|hidden|admin|assistant)>|\[/?inst\]",
    ),
    (
        "it tells the model to call it before other tools",
        (
            r"\b(before|instead of|prior to) (using|calling|invoking|running) (any|every|all|other)"
            r" (\w+ ){0,2}tools?\b|\bwhenever (the |a )?\w+ tool is (used|called)"
        ),
    ),
)
_LOOKS: Final = tuple((says, re2.compile(each, regex_options())) for says, each in _AIMED)


def flags(text: bytes) -> tuple[str, ...]:
    """A sentence for each thing to look at twice in a definition (JSON text)."""
    try:
        definition = json.loads(text[: TEXT_MAX + 1]) if len(text) <= TEXT_MAX else None
    except (ValueError, RecursionError):
        return ("it is no JSON that everybody reads alike",) if text else ()
    if definition is None:
        return ("it is too long to be looked through",)
    whole = "\n".join(_texts(definition))  # looked at once: no expression reaches over a line
    found = [f"it has {kind}" for kind in sorted(set(_hidden(whole)))]
    small = whole.lower().encode("utf-8", "replace").decode()
    return (*found, *(says for says, expression in _LOOKS if expression.search(small)))


def _texts(definition: Any) -> Iterator[str]:
    """Every text of a definition, keys too; LEAVES_MAX at most."""
    waiting: list[Any] = [definition]
    for _ in range(LEAVES_MAX):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value


def _hidden(text: str) -> Iterator[str]:
    """Kinds of characters in a text that a reader does not see, or not where they stand."""
    for char in set(text):
        code, category = ord(char), unicodedata.category(char)
        if 0xE0000 <= code <= 0xE007F:  # noqa: PLR2004 - the block of tags
            yield "invisible tag characters"
        elif unicodedata.bidirectional(char) in _TURNING:
            yield "characters that turn the direction of text"
        elif category == "Cf" or 0xFE00 <= code <= 0xFE0E or 0xE0100 <= code <= 0xE01EF:  # noqa: PLR2004 - variation selectors, less the one for emoji
            yield "invisible characters"
        elif category == "Cc" and char not in _NEWLINES:
            yield "control characters"
        elif category in ("Co", "Cs"):
            yield "characters without a common meaning"


_TURNING: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
