"""`+` and `-` on Calls: the filter with one more term, from a value of the selected call. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.query import verdict_word
from mcpwall.tui.completion import term

if TYPE_CHECKING:
    from mcpwall.engine.port_calls import Row


class Narrowing:
    """Which value of a call `+` has taken into the filter, so that the next key can change it."""

    def __init__(self) -> None:
        self._base = ""  # the filter without that value
        self._left: str | None = None  # the filter with it; another one is not ours to change
        self._step = 0

    def keep(self, text: str, row: Row) -> str:
        """The filter `text` for calls that share a value with `row`: again, for the next value."""
        if text == self._left:
            self._step = (self._step + 1) % len(_values(row))
        else:
            self._base, self._step = text, 0
        self._left = _and(self._base, _values(row)[self._step])
        return self._left

    def drop(self, text: str, row: Row) -> str:
        """The filter without the calls that `keep` has just kept, else without this tool's."""
        ours = text == self._left
        base, value = (self._base, _values(row)[self._step]) if ours else (text, _values(row)[0])
        self._left = None
        return _and(base, f"!({value})" if " " in value else f"!{value}")


def _values(row: Row) -> tuple[str, ...]:
    """Terms that hold for a call, in the order in which `+` goes through them."""
    server = term("server", row.server)
    return (
        f"{server} {term('tool', row.tool)}",
        server,
        term("agent", row.agent),
        f"verdict:{verdict_word(row.verdict)}",
    )


def _and(base: str, more: str) -> str:
    return f"({base}) {more}" if " or " in base else f"{base} {more}".strip()
