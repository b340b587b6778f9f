"""What a wall asks of a store that it shares with others, and what it is told. Values.

Whatever the store is: it counts by its own clock, in microseconds, and only the store decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec


class Wall(msgspec.Struct, frozen=True):
    """Who asks: `id` is this wall's alone, `who` is for people (`ann@laptop`)."""

    id: str
    who: str


class Bound(msgspec.Struct, frozen=True):
    """What one limit says of a call: `amount` fits if the window's sum stays at or under `maximum`.

    `key` names the log that counts. Both numbers are decimals, above 0 but for `amount`, which may
    be 0; `amount` is at most `maximum`.
    """

    key: str
    amount: str
    maximum: str
    window_us: int


class Reservation(msgspec.Struct, frozen=True):
    """A call that may be forwarded if all its bounds have room.

    `id` is no other reservation's. `entry` goes into the shared record with the grant.
    """

    id: str
    bounds: tuple[Bound, ...]
    entry: bytes


def log_name(key: str) -> str:
    """What a store calls the log of a key: short, and the same whatever tools are called."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Answer(msgspec.Struct, frozen=True):
    """What the store said: how long until each bound has room, in microseconds, 0 for now.

    Granted if all are 0. `fault` says why there is no answer; then the call was not granted, and
    what may have been booked all the same is given back.
    """

    waits_us: tuple[int, ...] = ()
    fault: str = ""

    @property
    def granted(self) -> bool:
        """Whether all was booked and entered."""
        return not self.fault and not any(self.waits_us)


class Ledger(Protocol):
    """A shared store as the engine sees it. Nothing here waits.

    `name` is its address without secrets. `fault` says why it cannot be asked now, '' when it can;
    `on_change` is called when that changes.
    """

    wall: Wall
    name: str
    fault: str
    on_change: Callable[[], None]

    def reserve(self, reservation: Reservation, done: Callable[[Answer], None]) -> None:
        """Ask for a reservation. `done` is called once, later, in the order of asking."""
        ...

    def give_back(self, reservation: Reservation) -> None:
        """Take a granted reservation back, whose call is not forwarded after all."""
        ...

    def note(self, entries: Sequence[bytes]) -> None:
        """Enter more in the shared record, as soon as that can be done."""
        ...
