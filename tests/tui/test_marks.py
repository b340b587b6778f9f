from __future__ import annotations

import json

import pytest

from mcpwall.engine import port, port_calls, port_rules
from tests.tui.fake_port import FakePort
from tests.tui.scenes import busy, details, row
from tests.tui.screens import NARROW, WIDE, Shown, golden, scenario, showing


def engine() -> FakePort:
    fake = FakePort(busy())
    fake.replies[port_calls.Details] = details(fake.now)
    fake.replies[port_rules.Preview] = port_rules.Previewed(500, (1, 2))
    return fake


async def mark(shown: Shown, *calls: int) -> None:
    """Mark these calls and no others, from the newest up."""
    await shown.press("G")
    for call in sorted(calls, reverse=True):
        for _ in range(40):
            if f"CALL {call} " in shown.text():
                break
            await shown.press("k")
        await shown.press("space")


def signs(shown: Shown) -> list[str]:
    return [line[1:9] for line in shown.text().splitlines() if line[9:10] == "◆"]


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_marked_calls_as_they_look(name: str, size: tuple[int, int]) -> None:
    async with showing(engine(), size) as shown:
        await mark(shown, 1273, 1279)
        golden(f"marked-{name}", shown.text())


@scenario
async def test_a_mark_is_a_sign_and_a_count_and_the_same_key_takes_it_back() -> None:
    async with showing(engine()) as shown:
        await mark(shown, 1279)
        assert signs(shown) == ["14:02:29"]
        assert "◆ 1 marked" in shown.text()
        await shown.press("k", "space")
        assert "◆ 2 marked" in shown.text()
        await shown.press("space")
        assert signs(shown) == ["14:02:29"]
        await shown.press("escape")
        assert signs(shown) == []
        assert "marked" not in shown.text()
        await shown.press("escape")  # people press it idly
        assert not shown.app._notifications


@scenario
async def test_marking_stays_on_its_call_although_newer_ones_come() -> None:
    fake = engine()
    async with showing(fake) as shown:
        assert "following" in shown.text()
        await shown.press("space")
        await fake.push(port.RowEvent(row(1300, "git.log", {})))
        await shown.settle()
        assert signs(shown) == ["14:02:37"]
        assert "CALL 1284 " in shown.text()
        assert " 1 new" in shown.text()


@scenario
async def test_a_mark_outlives_filter_fold_and_a_new_snapshot() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await mark(shown, 1273, 1278)  # 1278: the newest of four folded into one line
        await shown.press("/", *"tool:query", "enter")
        assert signs(shown) == []
        assert "◆ 2 marked" in shown.text()
        await shown.press("/", "escape")
        assert len(signs(shown)) == 2
        await fake.push(port.RowEvent(row(1400, "git.log", {})))
        fake.now = busy()
        await fake.push(gap=True)
        await shown.settle()
        assert len(signs(shown)) == 2


@scenario
async def test_copy_takes_all_marked_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    async with showing(engine()) as shown:
        monkeypatch.setattr(shown.app, "copy_to_clipboard", copied.append)
        await mark(shown, 1272, 1279)
        await shown.press("y")
        assert [n.message for n in shown.app._notifications] == ["2 marked calls copied"]
    assert copied[0].isascii()
    first, second = json.loads(copied[0])
    assert first == {
        "call": 1272, "agent": "codex#1", "server": "filesystem", "tool": "read_file",
        "arguments": {"path": "Makefile"},
    }  # fmt: skip
    assert second["arguments"]["text"] == "deploy is \x1b]52;c;SEVJTA==\x07 green"


@scenario
async def test_a_rule_is_made_from_what_marked_calls_share() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await mark(shown, 1266, 1279)
        await shown.press("r", "ctrl+s")
        saved = [command for command in fake.sent if isinstance(command, port_rules.PutRule)]
    assert [command.fields for command in saved] == [
        {
            "server": "slack",
            "tool": "post_message",
            "when": {"channel": {"equals": "#eng"}},
            "action": "deny",
        }
    ]


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_two_marked_calls_are_compared(name: str, size: tuple[int, int]) -> None:
    async with showing(engine(), size) as shown:
        await mark(shown, 1272, 1273)
        await shown.press("=")
        golden(f"pair-{name}", shown.text())
        await shown.press("escape")
        assert "◆ 2 marked" in shown.text()


@pytest.mark.parametrize("calls", [(1279,), (1272, 1273, 1279)])
@scenario
async def test_any_other_number_of_them_is_not_compared(calls: tuple[int, ...]) -> None:
    async with showing(engine()) as shown:
        await mark(shown, *calls)
        await shown.press("=")
        said = [n.message for n in shown.app._notifications]
        assert said == [f"▲ = diff: it compares two marked calls; {len(calls)} marked"]


@scenario
async def test_marked_calls_can_be_taken_when_nothing_is_listed() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await mark(shown, 1279)
        await shown.press("/", *"tool:nothing", "enter", "r")
        assert "NEW RULE" in shown.text()


@scenario
async def test_a_call_too_large_to_be_kept_is_not_compared() -> None:
    fake = engine()
    known = details(fake.now)

    def cut(command: port.Command) -> port.Reply:
        told = known(command)
        if command.call == 1273:
            return port_calls.CallDetails(told.row, None, '{"path":"', "", 0, 0)
        return told

    fake.replies[port_calls.Details] = cut
    async with showing(fake) as shown:
        await mark(shown, 1272, 1273)
        await shown.press("=")
        assert "▲ call 1273: too large to be kept whole, so not compared" in shown.text()


@scenario
async def test_without_an_engine_no_marks_are_lost() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await mark(shown, 1279)
        await fake.break_off("the engine is gone")
        await shown.settle()
        await shown.press("r")
        assert "NEW RULE" not in shown.text()
        assert "◆ 1 marked" in shown.text()
