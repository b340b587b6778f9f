"""What the filter being typed may go on with: fields, their values, and names that were seen.

A name is foreign: only one that is plain text is suggested, since the suggestion is drawn as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.suggester import Suggester

from mcpwall.query import complete

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcpwall.tui.mirror import Mirror

_PLAIN = re.compile(r"[\w.:/#@-]{1,60}", re.ASCII)
_TERM = re.compile(r"(?:^|[\s(!])(tool|server|agent|rule)(?:!=|[:=])([^\s()\"]*)$", re.ASCII)


class FilterSuggester(Suggester):
    """Completes the last word of a filter."""

    def __init__(self, mirror: Mirror) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._mirror = mirror

    async def get_suggestion(self, value: str) -> str | None:
        """The whole filter with its last word completed."""
        return completed(value, self._mirror)


def completed(text: str, mirror: Mirror) -> str | None:
    """`text` with its last word completed by the first that fits; None when nothing does."""
    if found := _TERM.search(text):
        typed = found[2]
        for name in sorted(set(_names(found[1], mirror))):
            if name.startswith(typed) and name != typed and _PLAIN.fullmatch(name):
                return text + name[len(typed) :]
        return None
    word = re.split(r"[\s(]", text)[-1].lstrip("!")
    for whole in complete(text, len(text)):
        if whole != word:
            return text + whole[len(word) :]
    return None


def _names(field: str, mirror: Mirror) -> Iterable[str]:
    match field:
        case "tool":
            return (tool.name for server in mirror.servers.values() for tool in server.tools)
        case "server":
            return mirror.servers
        case "agent":
            return (session.agent for session in mirror.sessions.values())
    return (row.rule.id for row in mirror.rules)


def term(field: str, value: str) -> str:
    """A term for exactly this value: quoted, its pattern signs escaped by a set of one."""
    literal = re.sub(r"([*?\[])", r"[\1]", value)
    quoted = literal.replace("\\", "\\\\").replace('"', '\\"')
    return f'{field}:"{quoted}"'
