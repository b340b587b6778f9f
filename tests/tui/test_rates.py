from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mcpwall.engine import port, port_calls, port_tools
from mcpwall.tui.rates import _TOOLS_MAX, Rates
from tests.tui.fake_port import FakePort
from tests.tui.scenes import NOW_MS, NOW_S, again, busy, row
from tests.tui.screens import WIDE, scenario, showing


def at(seconds: float, tool: str = "a.b", number: int = 1) -> port_calls.Row:
    return row(number, tool, {}, ago_s=-seconds)


@given(st.lists(st.integers(0, 300), max_size=60).map(sorted), st.integers(0, 400))
def test_it_counts_the_calls_of_the_last_minute(moments: list[int], now: int) -> None:
    rates = Rates()
    known = [moment for moment in moments if moment <= now]
    for moment in known:
        rates.note(at(moment))
    told = rates.last_minute("a", "b", NOW_MS + now * 1000)
    assert told == sum(now - 60 < moment <= now for moment in known)


def test_each_tool_of_each_server_counts_apart() -> None:
    rates = Rates()
    for number, tool in enumerate(["a.b", "a.c", "x.b", "a.b"]):
        rates.note(at(number / 10, tool))
    rates.note(replace(at(1), method="prompts/get"))
    assert [rates.said(*tool.split("."), NOW_MS + 900) for tool in ("a.b", "x.b", "y.b")] == [
        "2/min",
        "1/min",
        "",
    ]


def test_a_million_names_are_not_kept() -> None:
    rates = Rates()
    for number in range(3 * _TOOLS_MAX):
        rates.note(at(0, f"a.t{number}"))
    assert len(rates._seconds) == _TOOLS_MAX


def test_a_count_of_which_some_may_be_missing_says_so() -> None:
    rates = Rates()
    rates.start_over([at(n / 100, number=n) for n in range(2_000)], 0)
    assert rates.said("a", "b", NOW_MS + 20_000) == ">2,000/min"
    assert rates.said("a", "b", NOW_MS + 60_000) == "1,900/min"  # since then all are known
    rates.start_over([at(0)], 0)
    assert rates.said("a", "b", NOW_MS) == "1/min"
    rates.start_over([at(0)], 1)
    assert rates.said("a", "b", NOW_MS) == ">1/min"


@scenario
async def test_the_servers_say_how_often_a_tool_is_called_now() -> None:
    tools = tuple(
        port_tools.ToolRow(name, port_tools.Pin.PINNED, "h", calls=812)
        for name in ("query", "drop")
    )
    snapshot = busy()
    server = replace(snapshot.servers[0], tools=tools)
    fake = FakePort(replace(snapshot, servers=(server,)))
    now = [NOW_S]
    async with showing(fake, WIDE, now=lambda: now[0]) as shown:
        await shown.press("4", "down", "down")
        assert "3/min" in next(line for line in shown.text().splitlines() if " query " in line)
        assert "812 calls, 3/min now" in shown.text()
        call = row(1500, "postgres.query", {}, state=port_calls.State.RUNNING)
        await fake.push(port.RowEvent(call), again(call, state=port_calls.State.DONE))
        shown.app.screen.tick()
        await shown.settle()
        assert "812 calls, 4/min now" in shown.text()  # one call, however often it is told
        now[0] += 61
        shown.app.screen.tick()
        await shown.settle()
        assert "/min" not in shown.text().split("812", 1)[1]
