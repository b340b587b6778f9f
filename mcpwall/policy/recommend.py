"""Rules that suit a tool by its class, with the reason in a sentence. Pure; never put in unasked.

The field's custom: what only reads is free, what changes things is slowed down, what runs code is
slowed down and asked, what destroys or pays is asked (Review takes two keys for the last three).
Rules name the tools that are known: one that comes later is not opened by them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from mcpwall.model import JsonObject, Risk, Tool
from mcpwall.policy.match import escape_glob

ID_MAX: Final = 64  # characters of a rule's id


class Recommended(NamedTuple):
    """A `[[rules]]` table as plain data, and why."""

    fields: JsonObject
    reason: str


class _Custom(NamedTuple):
    """What is done with a class, and how a reason says it of one tool and of several."""

    does: JsonObject
    one: str
    many: str


_ASK: Final = {"action": "ask"}
_CUSTOMS: Final = {
    Risk.READ: _Custom({"action": "allow"}, "it only reads", "they only read"),
    Risk.WRITE: _Custom(
        {"rate_limit": "30/minute"},
        "it changes things: 30 a minute are more than a person follows",
        "they change things: 30 a minute are more than a person follows",
    ),
    Risk.EXECUTE: _Custom(
        {**_ASK, "rate_limit": "10/minute"},
        "it runs what it is given: asked, and at most 10 a minute",
        "they run what they are given: asked, and at most 10 a minute",
    ),
    Risk.DESTRUCTIVE: _Custom(
        _ASK,
        "what it destroys does not come back: asked each time, or hide it",
        "what they destroy does not come back: asked each time, or hide them",
    ),
    Risk.FINANCIAL: _Custom(_ASK, "it moves money: asked", "they move money: asked"),
    Risk.UNKNOWN: _Custom(
        {**_ASK, "rate_limit": "30/minute"},
        "nothing says what it does: asked, and at most 30 a minute",
        "nothing says what they do: asked, and at most 30 a minute",
    ),
}


def for_tool(tool: Tool) -> Recommended:
    """The rule for one tool."""
    custom = _CUSTOMS[tool.risk]
    place = {"server": escape_glob(tool.server), "tool": escape_glob(tool.name)}
    fields = {
        "id": _id("rec", tool.server, tool.name),
        **place,
        **custom.does,
        "reason": custom.one,
    }
    return Recommended(fields, f"{custom.one} ({tool.why})" if tool.why else custom.one)


def for_tools(tools: Iterable[Tool]) -> list[Recommended]:
    """A rule for each class of each server, in the order of server and class."""
    groups: dict[tuple[str, Risk], list[str]] = {}
    for tool in tools:
        groups.setdefault((tool.server, tool.risk), []).append(tool.name)
    order = list(_CUSTOMS)
    found = []
    for server, risk in sorted(groups, key=lambda group: (group[0], order.index(group[1]))):
        names, custom = sorted(groups[server, risk]), _CUSTOMS[risk]
        reason = custom.many if len(names) > 1 else custom.one
        fields = {
            "id": _id("recs", server, risk.value),
            "server": escape_glob(server),
            "tool": [escape_glob(name) for name in names],
            **custom.does,
            "reason": reason,
        }
        found.append(Recommended(fields, reason))
    return found


def _id(kind: str, server: str, what: str) -> str:
    """An id that says what the rule is for, and is no other rule's."""
    name = f"{kind}-{server}-{what}"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name)
    if plain == name and len(name) <= ID_MAX and "-" not in server:
        return name
    told = hashlib.sha256(f"{kind}\0{server}\0{what}".encode("utf-8", "replace")).hexdigest()[:8]
    return f"{plain[: ID_MAX - 9]}-{told}"
