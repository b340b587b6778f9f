"""The feed as an app follows it: batches without end, at a pace that its screen can use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mcpwall.engine.feed import Feed
    from mcpwall.engine.port import Batch

PACE_S: Final = 0.05  # at most 20 batches a second


async def follow(feed: Feed, after: int) -> AsyncIterator[Batch]:
    """What happened after event number `after`, as it happens."""
    woken = asyncio.Event()
    if after != feed.seq:
        woken.set()
    feed.followers.add(woken)
    try:
        while True:
            await woken.wait()
            woken.clear()
            batch = feed.since(after)
            after = batch.seq
            yield batch
            await asyncio.sleep(PACE_S)
    finally:
        feed.followers.discard(woken)
