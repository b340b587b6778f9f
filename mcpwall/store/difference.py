"""What changed between two configs, for a person to read, with what is secret blotted out. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Final

import msgspec

from mcpwall.model import Rule
from mcpwall.store.config import Config
from mcpwall.store.toml_lines import Path, positions

BLOT: Final = "…"
_CONTEXT: Final = 2
_MARK: Final = "\0"  # no TOML text holds one


def diff(old: Config, new: Config) -> str:
    """A unified diff of two texts; "" when nothing changed.

    A line with a secret shows only that it changed.
    """
    lines = difflib.unified_diff(
        list(_lines(old.text)),
        list(_lines(new.text)),
        old.file,
        new.file,
        n=_CONTEXT,
        lineterm="",
    )
    return "".join(f"{line.partition(_MARK)[0]}\n" for line in lines)


def content(rule: Rule) -> str:
    """What a rule says, wherever it stands; as text, because 1, 1.0 and true are equal."""
    return repr(msgspec.structs.replace(rule, origin=None))


def other_rule(old: Config, new: Config) -> str:
    """The id of the first rule of `new` that `old` does not have just so; "" where there is none.

    Where a rule stands makes no difference.
    """
    before = {content(rule) for rule in old.rules}
    return next((rule.id for rule in new.rules if content(rule) not in before), "")


def _lines(text: str) -> Iterator[str]:
    """The lines of a text; behind a blotted one a mark, and what it was, to compare by."""
    places = positions(text)
    secret = {line for path, line in places.lines.items() if _is_secret(path)}
    secret -= {header.line for header in places.headers}
    known = set(places.lines.values()) | {header.line for header in places.headers}
    hidden = False
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else (), 1):
        if number in known:  # else the value from before goes on, or it is a comment
            hidden = number in secret
        if hidden and line.strip():
            key, equals, _ = line.partition("=")
            shown = f"{key}= {BLOT}" if equals and number in known else BLOT
            yield f"{shown}{_MARK}{line}"
        else:
            yield line.removesuffix("\r")


def _is_secret(path: Path) -> bool:
    """Whether what stands at this path may be secret: environments, headers, credentials."""
    match path:
        case ("servers", _, "env" | "headers", *_):
            return True
        case ("servers", _, "oauth", "client_secret"):
            return True
        case ("store", "url"):
            return True
    return False
