"""The engine's pen: records through the intake, files in time, and says when it cannot write.

A call's intent is written before the call goes anywhere, and a failure is the caller's to act on.
An outcome can wait: one that cannot be written now is tried again until it can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from mcpwall.engine.clock import Clock, Timer
from mcpwall.store.faults import AuditError
from mcpwall.store.intake import FILE_AT, FILE_S, Intake
from mcpwall.store.records import Intent, Step
from mcpwall.store.tool_events import ToolEvent

AGAIN_S: Final = 1.0  # until the next try while the audit cannot be written
EVENTS_MAX: Final = 1_000  # events of tools kept until then
OUTCOMES_MAX: Final = 10_000  # outcomes kept until then


class Recorder:
    """Writes what the engine decides. `notice(level, text)` tells the apps of trouble.

    `share`, if there is a store for it, is given what was recorded.
    """

    def __init__(self, intake: Intake, clock: Clock, notice: Callable[[str, str], None]) -> None:
        self.intake = intake
        self._clock = clock
        self._notice = notice
        self._outcomes: list[Step] = []  # those that could not be written yet
        self._events: list[ToolEvent] = []  # and events of tools
        self._filing: Timer | None = None
        self._broken = False
        self.share: Callable[[Sequence[Intent], Sequence[Step]], None] | None = None

    def write(self, intents: Sequence[Intent], steps: Sequence[Step] = ()) -> str:
        """Record all of it or nothing; returns '' or why that could not be done.

        `file_soon` is to be called once what was recorded has been acted on.
        """
        try:
            self.intake.write(intents, steps)
        except AuditError as error:
            return self._failed(error)
        if self.share is not None:
            self.share(intents, steps)
        return self._worked()

    def outcomes(self, steps: Sequence[Step]) -> None:
        """Record what became of calls, now or as soon as that can be done."""
        waiting, self._outcomes = [*self._outcomes, *steps], []
        if self.write([], waiting):
            self._outcomes = waiting[-OUTCOMES_MAX:]
            if self._filing is None:
                self._filing = self._clock.call_later(AGAIN_S, self.file)
        else:
            self.file_soon()

    def tools(self, events: Sequence[ToolEvent]) -> None:
        """Record what became of tools' definitions, now or as soon as that can be done."""
        self._events = [*self._events, *events][-EVENTS_MAX:]
        if self._note_tools() and self._filing is None:
            self._filing = self._clock.call_later(AGAIN_S, self.file)

    def _note_tools(self) -> str:
        try:
            self.intake.note_tools(self._events)
        except AuditError as error:
            return self._failed(error)
        self._events = []
        return self._worked()

    def file_soon(self) -> None:
        """File what was recorded, at the latest FILE_S from now."""
        if self.intake.waiting >= FILE_AT:
            self.file()
        elif self._filing is None:
            self._filing = self._clock.call_later(FILE_S, self.file)

    def file(self) -> None:
        """File what was recorded; when that fails, try again later."""
        if self._filing is not None:
            self._filing.cancel()
            self._filing = None
        try:
            self.intake.file()
        except AuditError as error:
            self._failed(error)
            self._filing = self._clock.call_later(AGAIN_S, self.file)
            return
        self._worked()
        if self._outcomes:
            self.outcomes([])
        if self._events:
            self.tools([])

    def _failed(self, error: AuditError) -> str:
        if not self._broken:
            self._broken = True
            self._notice("error", f"the audit cannot be written, calls are denied: {error}")
        return f"its audit cannot be written ({error})"

    def _worked(self) -> str:
        if self._broken:
            self._broken = False
            self._notice("info", "the audit can be written again")
        return ""
