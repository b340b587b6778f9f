"""Time for the engine, handed in so that tests own it.

Two clocks: the wall's, for people, which may jump; and a steady one, for limits, which counts on
while the machine sleeps and never jumps. The steady clock starts anew with each boot, so what is
stored of it goes with the boot's id.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Do not make it."""
        ...


class Clock(Protocol):
    """What time it is, and a way to be called later."""

    boot: str

    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        ...

    def steady_ns(self) -> int:
        """Nanoseconds since the boot that `boot` names, time asleep included."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back once, after `seconds`."""
        ...


_STEADY = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


class SystemClock:
    """The machine's clocks and the running event loop's timers.

    The steady one counts time asleep where the system does.
    """

    def __init__(self) -> None:
        self.boot = boot_id()
        self._loop = asyncio.get_running_loop()
        # asked several times for each call: no Python between
        self.steady_ns: Callable[[], int] = (
            time.monotonic_ns
            if _STEADY is None
            else functools.partial(time.clock_gettime_ns, _STEADY)
        )

    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back once, after `seconds`, on the loop."""
        return self._loop.call_later(seconds, callback)


def boot_id() -> str:
    """What tells this boot from others; '' where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
