"""How each format writes what `init` writes: strings, members, the first items of a list. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mcpwall.clients import json_spans, toml_spans, yaml_spans
from mcpwall.clients.nodes import Member, Node, Splice, eol, indent, margin

# what stands before a value: TOML's tables of a dotted key, the key, and ":" or "="
_BEFORE: Final = re.compile(
    r"""(?P<tables>.*?)(?P<quote>["']?)[^"'.\s]+(?P=quote)(?P<sign>\s*[:=]\s*)""", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Syntax:
    """One format."""

    name: str
    parse: Callable[[str], Node]

    def string(self, value: str) -> str:
        """A string as it is written: in double quotes in all three formats."""
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

    def array(self, values: Sequence[str]) -> str:
        """A list of strings, on one line."""
        return "[" + ", ".join(map(self.string, values)) + "]"

    def prepend(self, text: str, array: Node, values: Sequence[str]) -> Splice:
        """Put strings in front of those in a list, in the way in which the list is written."""
        if not array.items:
            return Splice(array.start, array.end, self.array(values))
        if array.block:
            lead = eol(text) + indent(text, array.start)
            new = "".join(f"- {self.string(value)}{lead}" for value in values)
            return Splice(array.start, array.start, new)
        at = array.items[0].start
        space = margin(text, at)
        between = ", " if space is None else f",{eol(text)}{space}"
        return Splice(at, at, "".join(self.string(value) + between for value in values))

    def replace(
        self, text: str, table: Node, member: Member, pairs: Sequence[tuple[str, str]]
    ) -> Splice:
        """Put members in place of one; their values are written already."""
        between = _between(text, table, member)
        new = between.join(_like(text, member, key) + value for key, value in pairs)
        return Splice(member.start, member.node.end, new)

    def add(self, text: str, table: Node, after: Member, key: str, value: str) -> Splice:
        """Put a member behind another one; its value is written already."""
        at = after.node.end
        return Splice(at, at, _between(text, table, after) + _like(text, after, key) + value)


def _between(text: str, table: Node, member: Member) -> str:
    """What stands between two members of a table, written as this one is."""
    comma = "" if table.block else ","
    if table.block or margin(text, member.start) is not None:
        return comma + eol(text) + indent(text, member.start)
    return comma + " "


def _like(text: str, member: Member, key: str) -> str:
    """Another key, and all that stands before its value, written as this member's is."""
    found = _BEFORE.fullmatch(text, member.start, member.node.start)
    if found is None:
        raise ValueError(f"no key stands at {member.start}")
    return f"{found['tables']}{found['quote']}{key}{found['quote']}{found['sign']}"


JSON: Final = Syntax("JSON", json_spans.parse)
TOML: Final = Syntax("TOML", toml_spans.parse)
YAML: Final = Syntax("YAML", yaml_spans.parse)


def of(file: str) -> Syntax:
    """The format of a file, by its name."""
    if file.endswith(".toml"):
        return TOML
    return YAML if file.endswith((".yaml", ".yml")) else JSON
