"""The record in its own order, row by row: what replay reads. Values alone, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mcpwall.store.records import AuditRow, Step
from mcpwall.store.rows import CALL_COLUMNS, STEP_COLUMNS, decode_charges, row_of, step_of

if TYPE_CHECKING:
    from mcpwall.model import Charge


class Happening(NamedTuple):
    """A row of the record: a call on its arrival (`row`), or what happened to one (`step`).

    `charges` are what it booked. The steady clock counts from `boot`.
    """

    seq: int
    boot: str
    at_ms: int
    steady_ns: int
    charges: tuple[Charge, ...]
    row: AuditRow | None = None
    step: Step | None = None

    @classmethod
    def of_call(cls, values: tuple[Any, ...]) -> Happening:
        """From CALL_COLUMNS."""
        _, seq, at_ms, steady_ns, boot = values[:5]
        charges = values[CALL_COLUMNS.index("charges")]
        return cls(seq, boot, at_ms, steady_ns, _charges(charges), row=row_of(values))

    @classmethod
    def of_step(cls, values: tuple[Any, ...]) -> Happening:
        """From STEP_COLUMNS."""
        seq, _, at_ms, steady_ns, boot = values[:5]
        charges = values[STEP_COLUMNS.index("charges")]
        return cls(seq, boot, at_ms, steady_ns, _charges(charges), step=step_of(values))


def _charges(text: str | None) -> tuple[Charge, ...]:
    return () if text is None else decode_charges(text)
