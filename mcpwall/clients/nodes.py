"""A config file's values with the places where they stand in its text, and changes by splicing.

What an agent's file looks like is its owner's business: nothing is written out anew, a change
replaces a span of text and leaves every other byte as it is. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

DEPTH_MAX: Final = 64  # values inside values; what is deeper is no agent's config


class UnreadableError(Exception):
    """A file that does not parse: `line` counts from 1, `what` is wrong there."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line
        self.what = what


@dataclass(frozen=True, slots=True)
class Node:
    """A value that stands at `text[start:end]`.

    `block` says that its parts stand on lines of their own, without brackets and commas (YAML's
    block style, TOML's tables). `doubled` are keys that are written more than once.
    """

    value: Any
    start: int
    end: int
    members: Mapping[str, Member] = field(default_factory=dict)
    items: tuple[Node, ...] = ()
    block: bool = False
    doubled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Member:
    """A key, at `text[start:]`, and its value."""

    start: int
    node: Node


class Splice(NamedTuple):
    """Put `text` in place of what stands from `start` to `end`."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with all splices made; they do not overlap."""
    for splice in sorted(splices, reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def line_of(text: str, at: int) -> int:
    """The line, counted from 1, of a place in a text."""
    return text.count("\n", 0, at) + 1


def eol(text: str) -> str:
    """How lines end in this text."""
    return "\r\n" if "\r\n" in text else "\n"


def margin(text: str, at: int) -> str | None:
    """The white space between the line's start and `at`; None when something else stands there."""
    lead = text[text.rfind("\n", 0, at) + 1 : at]
    return lead if not lead.strip() else None


def indent(text: str, at: int) -> str:
    """White space that reaches as far as `at` in its line."""
    return re.sub(r"\S", " ", text[text.rfind("\n", 0, at) + 1 : at])
