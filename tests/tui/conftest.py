"""The app in tests is idle when its loop has nothing left to do, not when some time has passed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.tui.rest import nothing_ready

_FRAME_S = 0.02  # Textual draws 60 times a second: its timer for that comes due before this one


async def _idle(*_: Any, **__: Any) -> None:
    """Wait for the next frame, then until nothing is ready to run."""
    await asyncio.sleep(_FRAME_S)
    await nothing_ready()


@pytest.fixture(autouse=True)
def nothing_waits_for_idleness_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", _idle)
