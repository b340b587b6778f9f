"""What one session did lately: its calls by outcome, and how many in each moment, as a small curve.

Pure; counts what the mirror has in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

from mcpwall.engine.port import State
from mcpwall.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcpwall.engine.port import Row

BARS = "▁▂▃▄▅▆▇█"
_LIMITS = (Cause.LIMIT, Cause.BUDGET)


@dataclass(slots=True)
class Counts:
    """Calls of one session by what became of them."""

    passed: int = 0
    refused: int = 0
    limited: int = 0
    failed: int = 0


def counts(rows: Iterable[Row]) -> dict[str, Counts]:
    """The counts of each session."""
    by_session: dict[str, Counts] = {}
    for row in rows:
        count = by_session.setdefault(row.session, Counts())
        if row.state in (State.ERROR, State.LOST):
            count.failed += 1
        elif row.state is State.REFUSED and row.verdict.cause in _LIMITS:
            count.limited += 1
        elif row.state is State.REFUSED:
            count.refused += 1
        elif row.state is State.DONE:
            count.passed += 1
    return by_session


def curve(at_ms: Iterable[int], now_ms: float, span_ms: int, cells: int) -> str:
    """Moments as a curve of `cells` bars over the last `span_ms`; a blank where nothing was."""
    sums = [0] * cells
    for moment in at_ms:
        place = floor((moment - (now_ms - span_ms)) * cells / span_ms)
        if 0 <= place < cells:
            sums[place] += 1
    most = max(sums, default=0)
    return "".join(BARS[(n * len(BARS) - 1) // most if most else 0] if n else " " for n in sums)
