"""A shared store in Redis or Valkey: one script for a reservation, a stream for the record.

A script runs alone and by the server's clock, so what it finds and what it books cannot drift
apart. Names begin with `mcpwall:`. The record keeps about its newest RECORD_MAX entries, because it
lies in memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from mcpwall.policy.limits import DIGITS_MAX
from mcpwall.store.shared.address import Address
from mcpwall.store.shared.client import StoreError, as_waits
from mcpwall.store.shared.ledger import Reservation, log_name

RECORD: Final = "mcpwall:record"
RECORD_MAX: Final = 100_000
_LOG: Final = "mcpwall:log:"
_WINDOW: Final = "mcpwall:window:"
_EXACT: Final = Context(prec=4 * DIGITS_MAX)
_HERE: Final = Path(__file__).parent
_FORGETFUL: Final = (
    "it may forget what it has counted when its memory is full: set its maxmemory-policy to "
    "noeviction"
)


class RedisStore:
    """A `Backend`. `now_us` takes the place of the server's clock; only tests set it."""

    def __init__(self, address: Address, *, now_us: int | None = None) -> None:
        self.now_us = now_us
        self._address = address
        self._client: Redis | None = None
        self._reserve = self._give_back = ""  # hashes of the scripts that the server has

    async def open(self) -> None:
        """Connect, load the scripts, and see that nothing that counts is ever evicted."""
        with self._faults():
            self._client = client = Redis.from_url(
                self._address.url,
                single_connection_client=True,
                retry=Retry(NoBackoff(), 0),  # whether a call counts is not for a driver to repeat
                client_name="mcpwall",
            )
            await client.initialize()
            memory = await _awaited(client.info("memory"))
            if memory.get("maxmemory") and memory.get("maxmemory_policy") != "noeviction":
                raise StoreError(_FORGETFUL)
            self._reserve, self._give_back = [
                await _awaited(client.script_load((_HERE / name).read_text("ascii")))
                for name in ("redis_reserve.lua", "redis_give_back.lua")
            ]

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(RedisError, OSError):
                await client.aclose()

    async def ping(self) -> None:
        """See whether the server answers."""
        with self._faults():
            await _awaited(self._line.ping())

    async def reserve(self, reservations: Sequence[Reservation]) -> list[tuple[int, ...]]:
        """Run the script for each, all sent at once."""
        with self._faults():
            line = self._line.pipeline(transaction=False)
            for one in reservations:
                line.evalsha(self._reserve, 1 + 2 * len(one.bounds), *self._arguments(one))
            return [as_waits(waits) for waits in await _all(line)]

    def _arguments(self, reservation: Reservation) -> Iterator[Any]:
        """The KEYS and ARGV of redis_reserve.lua."""
        names = [log_name(bound.key) for bound in reservation.bounds]
        yield RECORD
        for name in names:
            yield _LOG + name
            yield _WINDOW + name
        yield "" if self.now_us is None else self.now_us
        yield reservation.id
        yield reservation.entry
        yield RECORD_MAX
        for bound in reservation.bounds:
            yield _units(bound.amount)
            yield _units(bound.maximum)
            yield bound.window_us

    async def give_back(self, reservations: Sequence[Reservation]) -> None:
        """Take each out of its logs."""
        with self._faults():
            line = self._line.pipeline(transaction=False)
            for one in reservations:
                names = [_LOG + log_name(bound.key) for bound in one.bounds]
                line.evalsha(self._give_back, len(names), *names, one.id)
            await _all(line)

    async def note(self, entries: Sequence[bytes]) -> None:
        """Add to the stream."""
        with self._faults():
            line = self._line.pipeline(transaction=False)
            for entry in entries:
                line.xadd(RECORD, {"entry": entry}, maxlen=RECORD_MAX, approximate=True)
            await _all(line)

    async def newest(self, count: int, before: str = "") -> tuple[list[bytes], str]:
        """A page of the stream."""
        with self._faults():
            found = await _awaited(
                self._line.xrevrange(RECORD, f"({before}" if before else "+", "-", count)
            )
            place = found[-1][0].decode() if found else before
            return [fields[b"entry"] for _, fields in found if b"entry" in fields], place

    @property
    def _line(self) -> Redis:
        if self._client is None:
            raise StoreError("it is not connected")
        return self._client

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Say what goes wrong in words."""
        try:
            yield
        except (RedisError, OSError) as error:
            raise StoreError(self._address.clean(str(error) or type(error).__name__)) from error


def _units(amount: str) -> str:
    """A decimal as a whole number of units of 10^-DIGITS_MAX."""
    return str(int(_EXACT.scaleb(Decimal(amount), DIGITS_MAX)))


async def _all(line: Any) -> list[Any]:
    """What each command of a pipeline answered. Raises the first error, which quotes nothing."""
    answers: list[Any] = await line.execute(raise_on_error=False)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


async def _awaited(answer: Awaitable[Any] | Any) -> Any:
    """What a command answers: the driver's types leave open whether it must be awaited."""
    return await answer
