"""One wall's line to the shared store: asks one thing after the other, each with a time limit.

Runs on the engine's loop, where it may wait and the engine need not. When the store fails or is
too slow, everything that waits is told so and whatever comes is refused at once, until the line is
up again; it tries by itself. A reservation without an answer may have been booked: it is given back
then, so that a refused call costs nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from mcpwall.store.shared.ledger import Answer, Reservation, Wall

PATIENCE_S: Final = 3.0  # from asking to the answer
AGAIN_S: Final = 1.0  # between two tries to reach a store that failed
IDLE_S: Final = 5.0  # without work, until the line is tested
DRAIN_S: Final = 2.0  # at the end, for what is still to be sent
STUBBORN_S: Final = 0.05  # between two cancellations of one piece of work
BATCH: Final = 64
ENTRIES_MAX: Final = 10_000  # kept for the shared record while the store is away


NONSENSE: Final = "its answer makes no sense; look at what else uses it"
_T = TypeVar("_T")


class StoreError(Exception):
    """The shared store cannot do what was asked; str() says why on one line, without secrets."""


class Backend(Protocol):
    """A store of one kind. Every method raises StoreError, after which only `close` is called."""

    async def open(self) -> None:
        """Connect, and make ready what the store needs."""
        ...

    async def close(self) -> None:
        """Let go of the connection. Raises nothing."""
        ...

    async def ping(self) -> None:
        """See whether the store answers."""
        ...

    async def reserve(self, reservations: Sequence[Reservation]) -> list[tuple[int, ...]]:
        """Grant or refuse each by itself, in order: all of a reservation or nothing of it.

        Returns for each how long until its bounds have room, in microseconds, 0 for now.
        """
        ...

    async def give_back(self, reservations: Sequence[Reservation]) -> None:
        """Take reservations back; one that was never granted is passed over."""
        ...

    async def note(self, entries: Sequence[bytes]) -> None:
        """Add to the shared record."""
        ...

    async def newest(self, count: int, before: str = "") -> tuple[list[bytes], str]:
        """Up to `count` entries of the shared record, newest first, and the place after them.

        `before` is such a place, "" for the end of the record.
        """
        ...


class _Asked(NamedTuple):
    reservation: Reservation
    done: Callable[[Answer], None]
    deadline: float  # of the loop's clock


class Client:
    """A `Ledger` on a backend. `run` does the work; `name` is the store's, without secrets."""

    def __init__(self, backend: Backend, wall: Wall, name: str) -> None:
        self.wall = wall
        self.name = name
        self.fault = ""
        self.on_change: Callable[[], None] = lambda: None
        self._backend = backend
        self._loop = asyncio.get_running_loop()
        self._asked: deque[_Asked] = deque()
        self._under_way: list[_Asked] = []
        self._back: list[Reservation] = []
        self._entries: deque[bytes] = deque(maxlen=ENTRIES_MAX)
        self._sending: list[bytes] = []
        self._work = asyncio.Event()
        self._drained = asyncio.Event()

    def reserve(self, reservation: Reservation, done: Callable[[Answer], None]) -> None:
        """Ask for a reservation; `done` is called later, in the order of asking."""
        if self.fault:
            self._loop.call_soon(done, Answer(fault=self.fault))
            return
        self._asked.append(_Asked(reservation, done, self._loop.time() + PATIENCE_S))
        self._work.set()

    def give_back(self, reservation: Reservation) -> None:
        """Take back a reservation whose call is not forwarded."""
        self._back.append(reservation)
        self._work.set()

    def note(self, entries: Sequence[bytes]) -> None:
        """Enter more in the shared record; what is too much for a store that is away is dropped."""
        self._entries.extend(entries)
        self._work.set()

    async def run(self) -> None:
        """Serve what is asked, for ever."""
        while True:
            try:
                await _within(PATIENCE_S, self._backend.open())
                self._say("")
                while True:
                    await self._turn()
            except StoreError as error:
                self._fail(f"the shared store {self.name} fails ({error})")
            except TimeoutError:
                self._fail(f"the shared store {self.name} did not answer within {PATIENCE_S:g} s")
            finally:
                await self._backend.close()
            await asyncio.sleep(AGAIN_S)

    async def drain(self) -> None:
        """Wait until all has been sent that can be, for a moment."""
        if self.fault:
            return
        self._drained.clear()
        self._work.set()
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._drained.wait()
        except TimeoutError:
            pass  # the wall's own record has all of it

    async def _turn(self) -> None:
        """Wait for work and do some of it: reservations first. Raises StoreError, TimeoutError."""
        try:
            async with asyncio.timeout(IDLE_S):
                await self._work.wait()
        except TimeoutError:
            await _within(PATIENCE_S, self._backend.ping())
            return
        if self._asked:
            await self._reserve()
        elif self._back:
            back = self._back[:BATCH]
            await _within(PATIENCE_S, self._backend.give_back(back))
            del self._back[: len(back)]
        elif self._entries:
            count = min(BATCH, len(self._entries))
            self._sending = [self._entries.popleft() for _ in range(count)]
            await _within(PATIENCE_S, self._backend.note(self._sending))
            self._sending = []
        else:
            self._work.clear()
            self._drained.set()

    async def _reserve(self) -> None:
        self._under_way = [self._asked.popleft() for _ in range(min(BATCH, len(self._asked)))]
        left_s = self._under_way[0].deadline - self._loop.time()
        asking = self._backend.reserve([each.reservation for each in self._under_way])
        waits = await _within(left_s, asking)
        if len(waits) != len(self._under_way) or not all(map(_answers, self._under_way, waits)):
            raise StoreError(NONSENSE)
        answered, self._under_way = self._under_way, []
        for asked, waits_us in zip(answered, waits, strict=True):
            asked.done(Answer(waits_us))

    def _fail(self, fault: str) -> None:
        """Refuse all that waits. What was under way may be booked, so it is given back later."""
        waiting = [*self._under_way, *self._asked]
        self._back += [asked.reservation for asked in self._under_way]
        self._under_way = []
        self._asked.clear()
        room = ENTRIES_MAX - len(self._entries)
        self._entries.extendleft(reversed(self._sending[-room:] if room else []))
        self._sending = []
        self._say(fault)
        for asked in waiting:
            asked.done(Answer(fault=fault))

    def _say(self, fault: str) -> None:
        changed = bool(fault) != bool(self.fault)
        self.fault = fault
        if changed:
            self.on_change()


def as_waits(said: object) -> tuple[Any, ...]:
    """What a store said to one reservation. Raises StoreError for what is no list."""
    if not isinstance(said, list):
        raise StoreError(NONSENSE)
    return tuple(said)


def _answers(asked: _Asked, waits_us: tuple[int, ...]) -> bool:
    """Whether this can be an answer: a store that others write to may say anything."""
    fits = len(waits_us) == len(asked.reservation.bounds)
    return fits and all(type(wait) is int and wait >= 0 for wait in waits_us)


async def _within(seconds: float, work: Coroutine[Any, Any, _T]) -> _T:
    """What the work comes to, if it takes no longer. Raises TimeoutError.

    A driver may answer a cancellation by a talk with its server that is as slow as the first; it is
    cancelled again then.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=max(0, seconds))
        if done:
            return task.result()
        raise TimeoutError
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=STUBBORN_S)
        if not task.cancelled():
            task.exception()
