"""A shared store in PostgreSQL: one function call for a reservation, a table for the record.

The function locks the logs of a call, asks the server's clock, and books. What belongs together is
sent at once, up to the end of its transaction, so no lock outlives a round trip, whatever becomes
of the wall that asked. Names begin with `mcpwall_`, in the first schema of the search path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import psycopg

from mcpwall.store.shared.address import Address
from mcpwall.store.shared.client import PATIENCE_S, StoreError, as_waits
from mcpwall.store.shared.ledger import Reservation, log_name

_SETUP: Final = Path(__file__).with_name("postgres.sql")
_SETUP_LOCK: Final = 0x6D637077_616C6C31  # any number that is the same for all walls
# The server gives up before the wall does, so that hardly anything is booked for a refused call.
_LIMITS: Final = (
    f"SET statement_timeout = '{int(PATIENCE_S * 800)}ms'",
    f"SET idle_in_transaction_session_timeout = '{int(PATIENCE_S * 800)}ms'",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
)
_IS_THERE: Final = "SELECT to_regprocedure('mcpwall_give_back_1(text, text[])') IS NOT NULL"
# A log that nobody has asked for a window and an hour counts nothing any more.
_SWEEP: Final = """
    DELETE FROM mcpwall_logs
    WHERE asked_us + window_us + 3600000000 < extract(epoch FROM clock_timestamp()) * 1000000
"""
_LOCK: Final = "SELECT mcpwall_lock_1(%s::text[], %s::bigint[])"
_RESERVE: Final = """
    SELECT mcpwall_reserve_1(%s, %s, %s::text[], %s::numeric[], %s::numeric[], %s::bigint[], %s)
"""
_GIVE_BACK: Final = "SELECT mcpwall_give_back_1(%s, %s::text[])"
_NOTE: Final = "INSERT INTO mcpwall_record (entry) SELECT unnest(%s::bytea[])"
_NEWEST: Final = """
    SELECT seq, entry FROM mcpwall_record
    WHERE %(before)s::bigint IS NULL OR seq < %(before)s ORDER BY seq DESC LIMIT %(count)s
"""


class PostgresStore:
    """A `Backend`. `now_us` takes the place of the server's clock; only tests set it."""

    def __init__(self, address: Address, *, now_us: int | None = None) -> None:
        self.now_us = now_us
        self._address = address
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None

    async def open(self) -> None:
        """Connect; make tables and functions if they are not there."""
        with self._faults():
            self._connection = connection = await psycopg.AsyncConnection.connect(
                self._address.url, autocommit=True, application_name="mcpwall"
            )
            for limit in _LIMITS:
                await connection.execute(limit)
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_SETUP_LOCK])
                (there,) = await self._one(_IS_THERE)
                if not there:
                    await connection.execute(_SETUP.read_bytes())
            await connection.execute(_SWEEP)

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error, OSError):
                await connection.close()

    async def ping(self) -> None:
        """See whether the server answers."""
        with self._faults():
            await self._one("SELECT 1")

    async def reserve(self, reservations: Sequence[Reservation]) -> list[tuple[int, ...]]:
        """Call the function for each: several in one transaction, which locks all logs first."""
        with self._faults():
            if len(reservations) == 1:
                (waits,) = await self._one(_RESERVE, self._arguments(reservations[0]))
                return [as_waits(waits)]
            bounds = [bound for one in reservations for bound in one.bounds]
            logs = [[log_name(bound.key) for bound in bounds], [b.window_us for b in bounds]]
            line = self._line
            async with line.pipeline(), line.transaction():
                await line.execute(_LOCK, logs)
                answers = [
                    await line.execute(_RESERVE, self._arguments(one)) for one in reservations
                ]
            return [as_waits(waits) for each in answers for (waits,) in await each.fetchall()]

    def _arguments(self, reservation: Reservation) -> list[object]:
        bounds = reservation.bounds
        return [
            reservation.id,
            reservation.entry,
            [log_name(bound.key) for bound in bounds],
            [Decimal(bound.amount) for bound in bounds],
            [Decimal(bound.maximum) for bound in bounds],
            [bound.window_us for bound in bounds],
            self.now_us,
        ]

    async def give_back(self, reservations: Sequence[Reservation]) -> None:
        """Take each out of its logs."""
        with self._faults():
            for one in reservations:
                names = [log_name(bound.key) for bound in one.bounds]
                await self._line.execute(_GIVE_BACK, [one.id, names])

    async def note(self, entries: Sequence[bytes]) -> None:
        """Add to the table."""
        with self._faults():
            await self._line.execute(_NOTE, [list(entries)])

    async def newest(self, count: int, before: str = "") -> tuple[list[bytes], str]:
        """A page of the table."""
        values = {"count": count, "before": int(before) if before else None}
        with self._faults():
            rows = await (await self._line.execute(_NEWEST, values)).fetchall()
        return [bytes(entry) for _, entry in rows], str(rows[-1][0]) if rows else before

    async def _one(self, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
        row = await (await self._line.execute(sql, values)).fetchone()
        if row is None:
            raise StoreError("it gave no answer")
        return row

    @property
    def _line(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        if self._connection is None:
            raise StoreError("it is not connected")
        return self._connection

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Say what goes wrong in words."""
        try:
            yield
        except (psycopg.Error, OSError) as error:
            raise StoreError(self._address.clean(str(error) or type(error).__name__)) from error
