"""The calls that a person has marked, to copy, compare or make a rule of them together. Pure.

Marked is a call, not a line: a mark stays whatever is listed, folded or let go around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcpwall.engine.port_calls import Row
    from mcpwall.tui.call_list import CallLine

SIGN = "◆"


class Marks:
    """The marked calls."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}

    def __len__(self) -> int:
        """How many calls are marked."""
        return len(self._rows)

    @property
    def rows(self) -> list[Row]:
        """The marked calls, oldest first, each as it was when it was marked."""
        return [row for _, row in sorted(self._rows.items())]

    def on(self, line: CallLine) -> bool:
        """Whether a call of this line is marked."""
        return any(map(line.has, self._rows))

    def toggle(self, line: CallLine) -> None:
        """Mark the call that the line shows, the newest of those folded; or unmark the line."""
        if self.on(line):
            for call in list(filter(line.has, self._rows)):
                del self._rows[call]
        else:
            self._rows[line.row.id] = line.row

    def clear(self) -> None:
        """Unmark every call."""
        self._rows.clear()
