"""When the app under test is at rest: its loop has nothing to do, and its screen owes no frame.

Textual's own way compares processor time with real time: slow, and wrong on a busy machine.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen


async def nothing_ready() -> None:
    """Wait until nothing is ready to run."""
    loop: Any = asyncio.get_running_loop()
    await asyncio.sleep(0)
    while loop._ready:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0)


async def all_drawn(app: App[Any]) -> None:
    """Wait until the frame on screen is the last: one may make another necessary.

    A widget that has found its size, say, has less to show, and makes room for its neighbours.
    """
    await nothing_ready()
    while app.screen_stack and _owes_a_frame(screen := app.screen):
        screen._on_timer_update()  # as its timer does, 60 times a second
        await nothing_ready()


def _owes_a_frame(screen: Screen[Any]) -> bool:
    """As the screen itself finds out when it is idle."""
    if not screen.is_running or not screen.is_current or screen.app._batch_count:
        return False  # it draws no more, or not yet
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    )
