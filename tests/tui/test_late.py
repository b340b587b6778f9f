"""A call whose time was up: still there to look at, an answer is for the same call made again."""

from __future__ import annotations

from msgspec.structs import replace

from mcpwall.engine import port, port_answers, port_calls
from mcpwall.tui.guard import ARM_S
from tests.tui.fake_port import FakePort
from tests.tui.hands import reviewing
from tests.tui.scenes import NOW_MS, busy
from tests.tui.screens import scenario, showing
from tests.tui.test_review import ISSUE, answer, waiting


def late() -> port_calls.Held:
    call = waiting(ISSUE)
    row = replace(call.row, state=port_calls.State.REFUSED)
    return replace(call, row=row, revision=9, deadline_ms=NOW_MS + 200_000, late=True)


@scenario
async def test_it_waits_for_nobody_and_is_last_in_review() -> None:
    snapshot = replace(busy(), held=(late(), *busy().held[:1]))
    async with showing(FakePort(snapshot)) as shown:
        assert "WAITING FOR YOU: 1" in shown.text()
        assert "2 Pending 1" in shown.text()
        await shown.press("p")
        assert "REVIEW 1 of 2" in shown.text()
        await shown.press("]")
        assert "github.create_issue" in shown.text()
        assert "its time was up; 3:20 left to allow it for later" in shown.text()


@scenario
async def test_p08_allowing_it_is_armed_and_sent_like_any_answer() -> None:
    async with reviewing(FakePort(replace(busy(), held=(late(),))), ISSUE) as hands:
        await hands.read("a")
        assert "armed in" in hands.line("ignored")
        await hands.wait(2.0)
        await answer(hands, "a")
        assert hands.decided == [port_answers.Decide(ISSUE, late().digest, 9, True)]


@scenario
async def test_it_is_neither_edited_nor_remembered() -> None:
    async with reviewing(FakePort(replace(busy(), held=(late(),))), ISSUE) as hands:
        await hands.wait(ARM_S)
        await hands.read("s")
        assert "is allowed once" in hands.shown.text()
        await hands.read("e")
        assert "its time is up" in hands.shown.text()
        await hands.wait(2.0)
        await answer(hands, "a")
        assert [decision.remember for decision in hands.decided] == [None]


@scenario
async def test_p08_a_call_whose_time_is_up_while_it_is_on_screen_must_be_read_again() -> None:
    fake = FakePort(replace(busy(), held=(waiting(ISSUE),)))
    async with reviewing(fake, ISSUE) as hands:
        await hands.wait(ARM_S)
        await fake.push(port.ReleasedEvent(ISSUE, "time is up"), port.HeldEvent(late()))
        await hands.shown.settle()
        await hands.read("a")
        assert "read it again" in hands.shown.text() or "armed in" in hands.shown.text()
        await hands.wait(0.5)
        assert hands.decided == []
