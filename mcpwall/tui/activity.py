"""What one session did lately: its calls by outcome, and how many in each moment, as a small curve.

Pure; counts what the mirror has in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcpwall.engine.port_calls import State
from mcpwall.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcpwall.engine.port_calls import Row

BARS = "▁▂▃▄▅▆▇█"
_LIMITS = (Cause.LIMIT, Cause.BUDGET)


@dataclass(slots=True)
class Counts:
    """Calls of one session by what became of them, and when each was made, in ms."""

    passed: int = 0
    refused: int = 0
    limited: int = 0
    failed: int = 0
    moments: list[int] = field(default_factory=list)


def counts(newest_first: Iterable[Row], since_ms: float) -> dict[str, Counts]:
    """The counts of each session, up to the first call that was made before `since_ms`."""
    by_session: dict[str, Counts] = {}
    for row in newest_first:
        if row.at_ms < since_ms:
            break
        count = by_session.get(row.session)
        if count is None:
            count = by_session[row.session] = Counts()
        count.moments.append(row.at_ms)
        state = row.state
        if state is State.DONE:
            count.passed += 1
        elif state is State.REFUSED and row.verdict.cause in _LIMITS:
            count.limited += 1
        elif state is State.REFUSED:
            count.refused += 1
        elif state in (State.ERROR, State.LOST):
            count.failed += 1
    return by_session


def curve(at_ms: Iterable[int], now_ms: float, span_ms: int, cells: int) -> str:
    """Moments as a curve of `cells` bars over the last `span_ms`; a blank where nothing was."""
    sums = [0] * cells
    start_ms = now_ms - span_ms
    for moment in at_ms:
        place = int((moment - start_ms) * cells / span_ms)
        if start_ms <= moment and place < cells:
            sums[place] += 1
    most = max(sums, default=0)
    return "".join(BARS[(n * len(BARS) - 1) // most if most else 0] if n else " " for n in sums)
