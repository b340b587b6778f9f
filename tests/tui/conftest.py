"""The app in tests is idle when it has nothing left to do and to draw, not when time has passed."""

from __future__ import annotations

from typing import Any

import pytest
from textual._context import active_app

from tests.tui.rest import all_drawn


async def _idle(*_: Any, **__: Any) -> None:
    await all_drawn(active_app.get())


@pytest.fixture(autouse=True)
def nothing_waits_for_idleness_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", _idle)
