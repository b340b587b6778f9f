"""The text of single `[[rules]]` tables inside a config: found, changed, added, taken out.

A rule's table is cut out as whole lines, changed with tomlkit (which keeps comments and
formatting), and put back; so no line of another table can change. Comments directly above a
header belong to that table. Pure: text in, text out; the text is valid TOML.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import tomlkit
from tomlkit.items import AbstractTable

from mcpwall.store import toml_values
from mcpwall.store.toml_lines import Path, positions
from mcpwall.store.toml_values import TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

_ORDER = (
    "id",
    "server",
    "tool",
    "agent",
    "method",
    "risk",
    "reach",
    "reads",
    "when",
    "after",
    "repeat",
    "more_than",
    "action",
    "hide",
    "rate_limit",
    "budget",
    "reason",
    "enabled",
)


class Block(NamedTuple):
    """Lines `start` up to, not including, `end`, counted from 0."""

    start: int
    end: int


def blocks(text: str) -> list[Block]:
    """The lines of each `[[rules]]` table, in the order of the file.

    Raises TableError when a rule is not written in one piece.
    """
    lines = text.split("\n")
    places = positions(text)
    if ("rules",) in places.lines and not any(h.path[0] == "rules" for h in places.headers):
        raise TableError("the rules are written as one list; head each rule with [[rules]]")
    found: list[Block] = []
    end = below(lines, places.end, len(lines))
    inside: Path = ()  # the rule that the header below belongs to
    for header in reversed(places.headers):
        rule = header.path[:2]
        if inside and rule != inside:
            raise TableError(
                f"the rule in line {places.line(inside)} is written in two places; put all of it "
                "under its header"
            )
        inside = ()
        if header.path[0] == "rules" and header.path != rule:  # [rules.when] and the like
            inside = rule
            continue
        start = above(lines, header.line - 1, header.after)
        if header.path[0] == "rules":
            found.append(Block(start, end))
        end = below(lines, header.after, start)
    return found[::-1]


def above(lines: list[str], start: int, stop: int) -> int:
    """Where the comments directly above line `start` begin, at `stop` at the earliest."""
    while start > stop and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def below(lines: list[str], end: int, stop: int) -> int:
    """Where the comments directly below a table's last line end, at `stop` at the latest."""
    while end < stop and lines[end].lstrip().startswith("#"):
        end += 1
    return end


def change(text: str, block: Block, fields: Mapping[str, Any]) -> str:
    """The text with the table in `block` saying `fields`. Raises TableError."""
    return splice(text, block, lambda lines: _changed(lines, fields))


def splice(text: str, block: Block, edit: Callable[[str], str]) -> str:
    """The text with the lines of `block` edited; what `edit` gets has no carriage returns."""
    lines = text.split("\n")
    old = "\n".join(lines[block.start : block.end])
    crlf = "\r\n" in old
    edited = edit(old.replace("\r\n", "\n").rstrip("\r") + "\n")
    new = edited.removesuffix("\n")
    if crlf:
        new = new.replace("\n", "\r\n")
    if old.endswith("\r"):
        new += "\r"
    return "\n".join([*lines[: block.start], new, *lines[block.end :]])


def add(text: str, fields: Mapping[str, Any], comment: str = "") -> str:
    """The text with a new table at its end, and a line of comment above it. Raises TableError."""
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    gap = newline if text.strip() and not text.endswith(newline * 2) else ""
    head = f"# {comment}{newline}" if comment else ""
    return text + gap + head + render(fields).replace("\n", newline)


def remove(text: str, block: Block) -> str:
    """The text without the table in `block`, and without the gap that it would leave."""
    lines = text.split("\n")
    before, after = lines[: block.start], lines[block.end :]
    if not before or not before[-1].strip():
        while len(after) > 1 and not after[0].strip():
            del after[0]
    if not any(line.strip() for line in after):
        while before and not before[-1].strip():
            del before[-1]
        after = [""] if before else []
    return "\n".join([*before, *after])


def render(fields: Mapping[str, Any]) -> str:
    """A table of its own, keys in the usual order, one line each. Raises TableError."""
    known = [key for key in _ORDER if key in fields]
    others = [key for key in fields if key not in _ORDER]
    pairs = [
        f"{toml_values.key(key).as_string()} = {toml_values.item(fields[key]).as_string()}"
        for key in known + others
    ]
    return "\n".join(["[[rules]]", *pairs, ""])


def same(one: Any, other: Any) -> bool:
    """Whether two TOML values are the same, of the same types too (1 is not true)."""
    return _canonical(one) == _canonical(other)


def _changed(block: str, fields: Mapping[str, Any]) -> str:
    """The text of one table with as few changes as say `fields`."""
    document = tomlkit.parse(block)
    _merge(document["rules"][0], fields)
    edited = tomlkit.dumps(document)
    if same(tomlkit.parse(edited).unwrap(), {"rules": [dict(fields)]}):
        return edited
    comments = itertools.takewhile(
        lambda line: not line.lstrip().startswith("["), block.split("\n")
    )
    return "".join(f"{line}\n" for line in comments) + render(fields)


def _merge(table: MutableMapping[str, Any], fields: Mapping[str, Any]) -> None:
    for key in [key for key in table if key not in fields]:
        del table[key]
    for key, value in fields.items():
        old = table.get(key)
        if isinstance(old, AbstractTable) and isinstance(value, dict) and value:
            _merge(old, value)
        elif old is None or not same(_plain(old), value):
            place: Any = toml_values.key(key) if old is None else key
            table[place] = toml_values.item(value)


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
