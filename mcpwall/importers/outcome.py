"""What reading a policy gives: rules with a comment each, the points to report, or a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mcpwall.model import JsonObject


class NewRule(NamedTuple):
    """A `[[rules]]` table as plain data, and one line that says where it comes from."""

    fields: JsonObject
    comment: str


class Imported(NamedTuple):
    """The rules of a policy in its order. `points`: what had to be interpreted, a sentence each.

    Both hold foreign text as it is, except for comments, which are safe to print and to write.
    """

    rules: tuple[NewRule, ...]
    points: tuple[str, ...]


class PolicyError(ValueError):
    """A policy that cannot be kept as it is written; the text says where, what and what to do."""
