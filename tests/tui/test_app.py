from __future__ import annotations

from tests.tui.fake_port import FakePort
from tests.tui.scenes import STATUS, busy
from tests.tui.screens import scenario, showing


@scenario
async def test_the_header_says_that_the_wall_stands_and_counts() -> None:
    async with showing(FakePort(busy())) as shown:
        header, tabs = shown.text().splitlines()[:2]
        assert "● GUARDING" in header
        assert "1,284 calls" in header
        assert "14:02:37" in header
        assert "[1 Calls]" in tabs
        assert f"engine {STATUS.pid}" in tabs
