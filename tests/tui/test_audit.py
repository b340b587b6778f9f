"""The audit screen: the whole record, searched piece by piece."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_calls
from mcpwall.tui.screens.audit import AuditScreen
from mcpwall.tui.screens.call import CallScreen
from mcpwall.tui.widgets.rule_form import RuleForm
from tests.tui.fake_port import FakePort
from tests.tui.scenes import NOW_MS, busy, details, row
from tests.tui.screens import NARROW, WIDE, golden, scenario, showing

DAY_MS = 24 * 3600 * 1000


def old(number: int) -> port_calls.Row:
    call = row(
        number, "postgres.query", {"sql": f"SELECT {number}"}, verdict=busy().rows[4].verdict
    )
    return replace(call, at_ms=NOW_MS - (1000 - number) * DAY_MS // 10)


def engine(count: int = 300, piece: int = 100) -> FakePort:
    """A record of so many old calls, given in pieces."""
    fake = FakePort(busy())
    rows = [old(number) for number in range(1, count + 1)]

    def find(command: port.Command) -> port.Reply:
        assert isinstance(command, port_calls.Search)
        if command.text == "colour:red":
            return port.Refused("there is no field colour")
        last = command.before or count + 1
        found = tuple(reversed(rows[max(0, last - 1 - piece) : last - 1]))
        before = found[-1].id if found and found[-1].id > 1 else 0
        return port_calls.Found(found, before, found[-1].at_ms if found else NOW_MS, len(found))

    fake.replies[port_calls.Search] = find
    snapshot = replace(busy(), rows=(*busy().rows, *rows))
    fake.replies[port_calls.Details] = details(snapshot, answer="it went well")
    return fake


def searches(fake: FakePort) -> list[port_calls.Search]:
    return [command for command in fake.sent if isinstance(command, port_calls.Search)]


@scenario
async def test_it_shows_the_newest_and_goes_further_back_on_a_key() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("6")
        assert [search.before for search in searches(fake)] == [0, 201]
        assert "200 found" in shown.text()
        assert "SELECT 300" in shown.text()
        await shown.press("m")
        assert "300 found   the whole record was searched" in shown.text()
        await shown.press("G")
        assert "SELECT 1 " in shown.text() or "SELECT 1\n" in shown.text()
        await shown.press("m")
        assert len(searches(fake)) == 3
        assert "the whole record was searched" in shown.text()


@scenario
async def test_a_filter_is_typed_and_sent() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("6", "/", *"tool:que", "enter")
        assert searches(fake)[-1].text == "tool:que"
        assert searches(fake)[-2].before == 0
        assert shown.app.focused is None


@scenario
async def test_a_filter_that_cannot_be_read_says_why() -> None:
    async with showing(engine()) as shown:
        await shown.press("6", "s", *"colour:red", "enter")
        assert "there is no field colour" in shown.text()
        assert shown.app.is_running


@scenario
async def test_from_a_call_to_all_of_it_and_to_a_rule() -> None:
    async with showing(engine()) as shown:
        await shown.press("6", "down", "enter")
        assert isinstance(shown.app.screen, CallScreen)
        assert "SELECT 299" in shown.text()
        await shown.press("escape", "r")
        assert isinstance(shown.app.screen, RuleForm)


@scenario
async def test_it_says_that_the_engine_is_gone() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await fake.break_off("no engine runs")
        await shown.settle()
        await shown.press("6")
        assert "no engine runs" in shown.text()
        assert isinstance(shown.app.screen, AuditScreen)


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_the_audit_screen(name: str, size: tuple[int, int]) -> None:
    async with showing(engine(), size) as shown:
        await shown.press("6", "down", "down")
        golden(f"audit-{name}", shown.text())
