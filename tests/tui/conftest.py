"""The app in tests is idle when its loop has nothing left to do, not when some time has passed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

_FRAME_S = 0.02  # Textual draws 60 times a second: its timer for that comes due before this one


async def _idle(*_: Any, **__: Any) -> None:
    """Wait for the next frame, then until nothing is ready to run.

    Textual's own way compares processor time with real time: slow, and wrong on a busy machine.
    """
    loop: Any = asyncio.get_running_loop()
    await asyncio.sleep(_FRAME_S)
    while loop._ready:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def nothing_waits_for_idleness_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", _idle)
