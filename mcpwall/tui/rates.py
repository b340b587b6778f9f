"""How many calls there were of each tool in the last minute, as the app hears of them. Pure.

Seconds are buckets, so that a flood of calls costs a number each second and not an entry each call.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpwall.engine.port_calls import Row

WINDOW_S = 60
_TOOLS_MAX = 2_000  # an agent can make up any number of names
_CUT_FROM = 500  # an engine that remembers as many may not remember all of the last minute

_Tool: TypeAlias = tuple[str, str]  # server and name


class Rates:
    """The counts. Times are milliseconds since the epoch."""

    def __init__(self) -> None:
        self._seconds: dict[_Tool, deque[list[int]]] = {}  # [second, calls], ascending
        self._since_ms = 0  # from when on every call is known

    def start_over(self, rows: Sequence[Row], left: int) -> None:
        """Count these calls, oldest first, and none of the `left` ones before."""
        self._seconds = {}
        self._since_ms = rows[0].at_ms if left or len(rows) >= _CUT_FROM else 0
        for row in rows:
            self.note(row)

    def note(self, row: Row) -> None:
        """Count a call that was not known."""
        if row.method != "tools/call":
            return
        key, second = (row.server, row.tool), row.at_ms // 1000
        seconds = self._seconds.get(key)
        if seconds is None:
            seconds = self._seconds[key] = deque()
            if len(self._seconds) > _TOOLS_MAX:
                del self._seconds[next(iter(self._seconds))]
        if seconds and seconds[-1][0] >= second:  # of a call that came a little late, too
            seconds[-1][1] += 1
            return
        seconds.append([second, 1])
        while seconds[0][0] <= second - WINDOW_S:
            seconds.popleft()

    def last_minute(self, server: str, tool: str, now_ms: float) -> int:
        """The calls of a tool in the minute before `now_ms`."""
        first = now_ms // 1000 - WINDOW_S
        return sum(count for at, count in self._seconds.get((server, tool), ()) if at > first)

    def said(self, server: str, tool: str, now_ms: float) -> str:
        """The same in a few characters: `4/min`, `>1,990/min` where some are not known; or ""."""
        count = self.last_minute(server, tool, now_ms)
        more = ">" if self._since_ms > now_ms - WINDOW_S * 1000 else ""
        return f"{more}{count:,}/min" if count else ""
