"""The numbered feed of events: bounded, and never in the way of a call.

Publishing only appends. A call is published as its live record, and turned into a row when an app
fetches it: ten changes between two fetches are one row. So is a waiting call, which comes with all
its arguments: they are kept only as long as it waits. Without an app only as much is kept as
may happen between an app's snapshot and its first batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from mcpwall.engine.holds import Hold
from mcpwall.engine.port import Batch, Event, HeldEvent, RowEvent, Totals
from mcpwall.engine.records import Record

KEPT: Final = 20_000  # events behind which an app may be before it takes a new snapshot
KEPT_ALONE: Final = 1_000  # the same while no app is attached
_PER_MS: Final = 1_000  # more events than an engine publishes in a millisecond


class Feed:
    """Events, numbered upwards. `seq` is the number of the last one; `followers` are woken by each.

    An engine that starts later, at `started_ms`, has higher numbers than one before it ever had: an
    app that followed that one is not taken for one that has seen these events.
    """

    def __init__(self, totals: Callable[[], Totals], started_ms: int) -> None:
        self.first = self.seq = started_ms * _PER_MS
        self._kept: deque[Event | Record | Hold] = deque(maxlen=KEPT)
        self.followers: set[asyncio.Event] = set()
        self._totals = totals

    @property
    def followed(self) -> bool:
        """Whether an app is attached."""
        return bool(self.followers)

    def publish(self, event: Event | Record | Hold) -> None:
        """Number an event and wake who follows."""
        self.seq += 1
        self._kept.append(event)
        for follower in self.followers:
            follower.set()
        if not self.followers and len(self._kept) > KEPT_ALONE:
            self._kept.popleft()

    def since(self, after: int) -> Batch:
        """The events numbered above `after`; a gap when some of them are gone."""
        missing = self.seq - after
        if not 0 <= missing <= len(self._kept):
            return Batch(self.seq, self._totals(), gap=True)
        events: list[Event] = []
        seen: set[int] = set()
        waiting: set[int] = set()
        # newest first, so that of many changes of one call the last position stands
        for index in range(len(self._kept) - 1, len(self._kept) - 1 - missing, -1):
            event = self._kept[index]
            if isinstance(event, Record):
                if event.call.id in seen:
                    continue
                seen.add(event.call.id)
                events.append(RowEvent(event.row()))
            elif isinstance(event, Hold):
                if event.shown is not None and event.record.call.id not in waiting:
                    waiting.add(event.record.call.id)
                    events.append(HeldEvent(event.shown))
            else:
                events.append(event)
        return Batch(self.seq, self._totals(), tuple(reversed(events)))
