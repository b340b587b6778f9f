"""How far back the limits look: as far as each window in force asks, counted from the record.

What a window has let go its limit has forgotten. So where one grows, the limits are counted anew,
and until that can be done every call is denied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.engine import restore
from mcpwall.engine.recorder import AGAIN_S
from mcpwall.store.faults import AuditError

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.policy.compile import Windows


class Lookback:
    """`fault`: why the limits do not look back far enough, '' when they do."""

    def __init__(self, engine: Engine) -> None:
        self.fault = ""
        self._engine = engine
        self._counted_ns = 0  # how far back they were counted last
        self._windows: Windows = {}  # how far each rule's have looked since

    def widen(self) -> None:
        """Other rules may be in force: look back as far as they ask."""
        windows, known = self._engine.rulebook.windows, self._windows
        grown = any(ns > known.get(name, self._counted_ns) for name, ns in windows.items())
        self.fault = self._count(max(windows.values())) if grown else ""
        if self.fault:
            self._engine.clock.call_later(AGAIN_S, self.widen)
        else:
            self._windows = windows if grown else known | windows

    def _count(self, back_ns: int) -> str:
        """Count the limits anew from the audit; returns '' or why that could not be done."""
        engine = self._engine
        engine.recorder.file()
        intake = engine.recorder.intake
        if intake.waiting:
            return "its audit cannot be written"
        try:
            engine.limits = restore.limits(intake.audit, engine.clock, back_ns)
        except AuditError as error:
            return f"its limits cannot be counted ({error})"
        self._counted_ns = back_ns
        return ""
