"""Servers that are seen for the first time, announced together: an agent starts many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mcpwall.engine.clock import Clock

TOGETHER_S: Final = 2.0  # how long a server waits for others to be announced with
NAMED_MAX: Final = 5  # servers that the notice names
_NAME_MAX: Final = 60  # characters of one


class Newcomers:
    """Collects servers and the number of their tools; `notice(level, text)` tells the apps."""

    def __init__(self, clock: Clock, notice: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._notice = notice
        self._seen: dict[str, int] = {}

    def add(self, server: str, tools: int) -> None:
        """A server has listed its tools for the first time."""
        if not self._seen:
            self._clock.call_later(TOGETHER_S, self._announce)
        self._seen[server] = tools

    def _announce(self) -> None:
        seen, self._seen = self._seen, {}
        names = ", ".join(short(name) for name in list(seen)[:NAMED_MAX])
        more = f" and {len(seen) - NAMED_MAX} more" if len(seen) > NAMED_MAX else ""
        be, whose = ("is", "its") if len(seen) == 1 else ("are", "their")
        tools = sum(seen.values())
        pinned = "tool is pinned as it is" if tools == 1 else "tools are pinned as they are"
        text = f"{names}{more} {be} seen for the first time: {whose} {tools} {pinned}"
        self._notice("info", text)


def short(name: str) -> str:
    """A name of a server or a tool, cut so that a notice stays one."""
    return name if len(name) <= _NAME_MAX else f"{name[: _NAME_MAX - 1]}…"
