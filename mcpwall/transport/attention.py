"""Staying awake for a moment after a message, since the next one is often microseconds away.

A process that sleeps is woken by an interrupt, on another core, with cold caches: on common
machines that costs more than all that the wall does with a call. So for SPIN_NS after each message
the loop looks for input without sleeping. All sessions are served in turn meanwhile, and with
nothing to do for that long the engine sleeps. On a single core it would only be in the way.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Final

SPIN_NS: Final = 100_000  # what an awake engine costs at most for each message


class Attention:
    """One for all sessions of a loop. `cores`: how many this process may run on."""

    def __init__(self, loop: asyncio.AbstractEventLoop, cores: int) -> None:
        self._loop = loop
        self._until = 0
        self._awake = cores < 2  # noqa: PLR2004 - then `rouse` never has anything to start

    def rouse(self) -> None:
        """A message was dealt with: stay awake for a moment from now on."""
        self._until = time.monotonic_ns() + SPIN_NS
        if not self._awake:
            self._awake = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        """Have the loop look for input once more before it sleeps."""
        if time.monotonic_ns() < self._until:
            self._loop.call_soon(self._look)
        else:
            self._awake = False


def cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
