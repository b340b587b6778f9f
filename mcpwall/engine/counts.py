"""What the screens count: how often each rule decided, and the rows in which counts have moved.

Such a row changes with every call. It is shown a second later, once for all calls until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mcpwall.engine import tool_views
from mcpwall.engine.port import HitsEvent, ServerEvent
from mcpwall.engine.port_rules import Hits
from mcpwall.engine.records import Record

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.live import Live

COUNTS_S: Final = 1.0  # how late a screen may count
NEVER: Final = (0, 0)


class Counts:
    """The hits of rules, and the sessions whose counts, or whose server's, are to be shown."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._used: set[Live] = set()
        self._hits: dict[str, tuple[int, int]] = {}  # rule id → times, last time (ms)
        self._told = self._hits.copy()  # as the apps know them

    def hits(self, rule: str) -> tuple[int, int]:
        """How often a rule, or a remembered answer, decided, and when it last did (ms, or 0)."""
        return self._hits.get(rule, NEVER)

    def hit(self, record: Record) -> None:
        """Count for the rules of a verdict that they made one."""
        for rule in record.verdict.rules:
            self._hits[rule] = (self.hits(rule)[0] + 1, record.call.at_ms)

    def used(self, live: Live) -> None:
        """The counts of a session, its server or the rules are others now: show them soon."""
        if self._engine.feed.followed:
            if not self._used:
                self._engine.clock.call_later(COUNTS_S, self._show)
            self._used.add(live)

    def _show(self) -> None:
        engine = self._engine
        used, self._used = self._used, set()
        for live in used:
            if not live.ended:
                live.publish()
        for server in {live.server for live in used}:
            if engine.inventory.servers.get(server.name) is server:  # else it is forgotten
                engine.feed.publish(ServerEvent(tool_views.server_row(engine, server)))
        told, self._told = self._told, self._hits.copy()
        moved = [(rule, count) for rule, count in self._told.items() if told.get(rule) != count]
        if moved:
            engine.feed.publish(HitsEvent(tuple(Hits(rule, *count) for rule, count in moved)))
