"""The app under a flood, on a terminal of its own: started by `benchmarks.app`, prints one line.

It attaches to the control socket in `argv[1]`, waits until the app knows 100,000 calls, and then
measures for `argv[2]` seconds: processor time of this process, and how late its loop is.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from mcpwall.link.client import connect
from mcpwall.tui.app import WallApp
from mcpwall.tui.mirror import ROWS_MAX

TICK_S = 0.02  # to look more often would cost a good part of what the app does


async def watch(app: WallApp, seconds: float) -> dict[str, float]:
    """Figures of one span: share of a core, and lag of the loop in milliseconds."""
    while len(app.mirror.rows) < ROWS_MAX:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0.1)
    lags: list[float] = []
    began, busy, calls = time.perf_counter(), time.process_time(), app.mirror.totals.calls
    while (now := time.perf_counter()) - began < seconds:
        await asyncio.sleep(TICK_S)
        lags.append(time.perf_counter() - now - TICK_S)
    took = time.perf_counter() - began
    lags.sort()
    return {
        "core": (time.process_time() - busy) / took,
        "lag_p50": lags[len(lags) // 2] * 1e3,
        "lag_p99": lags[len(lags) * 99 // 100] * 1e3,
        "lag_max": lags[-1] * 1e3,
        "per_second": (app.mirror.totals.calls - calls) / took,
        "rows": len(app.mirror.rows),
    }


async def main() -> Any:
    """Run the app to the end of the span; its figures."""
    async with connect(sys.argv[1]) as engine:
        app: Any = WallApp(engine)

        async def measure() -> None:
            figures = await watch(app, float(sys.argv[2]))
            app.exit(figures)

        app.call_later(lambda: app.run_worker(measure()))
        return await app.run_async()


if __name__ == "__main__":
    figures = asyncio.run(main())
    Path(sys.argv[3]).write_text(json.dumps(figures))
