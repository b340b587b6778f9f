"""Alike calls decided together: those in the list on screen, and none that came later."""

from __future__ import annotations

from typing import cast

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_answers, port_calls, port_rules
from mcpwall.model import Risk
from mcpwall.tui.guard import ARM_S
from mcpwall.tui.review.group import differs, group_rows, groups, shared
from mcpwall.tui.review.habit import OFTEN
from mcpwall.tui.screens.group import GroupScreen
from mcpwall.tui.screens.review import ReviewScreen
from mcpwall.tui.widgets.rule_form import RuleForm
from tests.tui.fake_port import FakePort
from tests.tui.hands import Hands, reviewing
from tests.tui.scenes import busy, held, row
from tests.tui.screens import NARROW, WIDE, golden, resized, scenario
from tests.tui.test_review import SETTLED, answer


def issue(number: int, title: str, **more: object) -> port_calls.Held:
    arguments = {"repo": "acme/api", "title": title}
    call = row(
        number, "github.create_issue", arguments, risk=Risk.WRITE, state=port_calls.State.HELD
    )
    return held(call, arguments, 50 - number % 10, **more)


SMALL = (40, 12)
CALLS = tuple(issue(1301 + n, f"Fix bug {n}") for n in range(4))


def engine(*calls: port_calls.Held) -> FakePort:
    return FakePort(replace(busy(), held=calls or CALLS))


async def open_group(hands: Hands) -> GroupScreen:
    await hands.wait(ARM_S)
    await hands.read("*")
    screen = cast("GroupScreen", hands.shown.app.screen)
    assert isinstance(screen, GroupScreen)
    screen.steady, screen.later = lambda: hands.now, hands.later
    screen.guard.show(None)  # the real clock saw the first paint
    screen._framing = False  # and a real timer draws the next frame
    screen.armed_anew()
    await hands.shown.settle()
    return screen


# --- what is alike ------------------------------------------------------------------------------


def test_calls_of_one_agent_tool_and_argument_names_are_alike() -> None:
    other = issue(1400, "x")
    other = replace(other, arguments={"repo": "a", "title": "x", "body": ""})
    late = replace(issue(1401, "x"), late=True)
    found = groups([*CALLS, other, late])
    assert sorted(len(group) for group in found) == [1, 1, 4]


def test_what_is_common_is_shown_once_and_the_rest_of_each() -> None:
    assert shared(CALLS) == {"repo": "acme/api"}
    assert differs(CALLS) == "they differ only in title"
    text = "\n".join(f"{r.name} {r.value}" for r in group_rows(CALLS, 80))
    assert text.count("acme/api") == 1
    assert all(f'{1301 + n} "Fix bug {n}"' in text for n in range(4))


def test_numbers_and_booleans_that_look_equal_are_not_the_same() -> None:
    one, other = issue(1, "x"), issue(2, "x")
    calls = [
        replace(one, arguments={"repo": 1, "title": True}),
        replace(other, arguments={"repo": 1.0, "title": 1}),
    ]
    assert shared(calls) == {}


def test_long_values_are_shown_whole_in_lines_of_their_own() -> None:
    calls = [issue(n, f"start {'x' * 200} end {n}") for n in (1, 2)]
    text = "".join(r.value for r in group_rows(calls, 60))
    assert text.count("x") == 400
    assert "end 1" in text.replace("·", " ")


# --- the decision -------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "allow"), [("a", True), ("d", False)])
@scenario
async def test_p08_a_group_is_armed_and_each_of_its_calls_answered_once(
    key: str, allow: bool
) -> None:
    async with reviewing(engine(), 1301) as hands:
        await open_group(hands)
        await hands.read(key)
        assert "armed in" in hands.line("ignored")
        await hands.wait(2.0)
        assert hands.decided == []
        await answer(hands, key)
        decisions = [(d.call, d.digest, d.allow) for d in hands.decided]
        assert sorted(decisions) == [(c.row.id, c.digest, allow) for c in CALLS]
        assert isinstance(hands.shown.app.screen, ReviewScreen)
        word = "allowed" if allow else "denied"
        assert f"4 of 4 calls {word}" in hands.shown.text()


@pytest.mark.parametrize(("key", "allow"), [("a", True), ("d", False)])
@scenario
async def test_p08_a_group_in_a_small_window_is_seen_to_its_end_before_it_is_allowed(
    key: str, allow: bool
) -> None:
    async with reviewing(engine(), 1301, SMALL) as hands:
        await open_group(hands)
        golden("group-40x12", hands.shown.text())
        await hands.wait(2.0)
        assert "a: see the end first  d deny them" in hands.shown.text()
        seen = hands.shown.text()
        for _ in range(4):
            await hands.read("pagedown")
            await hands.wait(0.5)
            seen += hands.shown.text()
        words = " ".join(seen.split())
        assert "claude-code#1 wants to run" in words
        assert "github.create_issue 4 times" in words
        assert "rule r03 asks when a tool changes" in words
        assert all(f"Fix bug {n}" in words.replace("·", " ") for n in range(4))
        await hands.wait(2.0)
        assert "a allow 4  d deny them" in hands.shown.text()
        assert hands.decided == []
        await answer(hands, key)
        assert [d.allow for d in hands.decided] == [allow] * 4


@scenario
async def test_a_group_of_what_executes_takes_two_keys_in_a_small_window_too() -> None:
    calls = [replace(call, two_keys=True) for call in CALLS]
    async with reviewing(engine(*calls), 1301, SMALL) as hands:
        await open_group(hands)
        await hands.read("G")
        await hands.wait(2.0)
        assert "a then ! allow 4  d deny them" in hands.shown.text()
        await answer(hands, "a")
        assert hands.decided == []
        assert "! within 5 s: allow 4" in hands.shown.text()
        await hands.wait(0.5)
        await answer(hands, "!")
        assert [d.allow for d in hands.decided] == [True] * 4


@scenario
async def test_a_resize_of_the_group_to_a_small_window_shows_it_from_its_start() -> None:
    async with reviewing(engine(), 1301) as hands:
        await open_group(hands)
        await hands.wait(2.0)
        await resized(hands.shown.pilot, *SMALL)
        await hands.shown.settle()
        await answer(hands, "a")
        assert hands.decided == []
        assert "github.create_issue 4 times" in " ".join(hands.shown.text().split())
        await resized(hands.shown.pilot, 39, 12)
        await hands.shown.settle()
        assert "needs 40x12" in hands.shown.text() or "too small" in hands.shown.text()


@pytest.mark.parametrize("told", [[], [1301], [1301, 1303]])
@scenario
async def test_what_was_answered_is_left_although_its_release_is_told_later(
    told: list[int],
) -> None:
    fake = engine(*CALLS, *(other for other in busy().held if other.row.id == 1280))
    async with reviewing(fake, 1301) as hands:
        await open_group(hands)
        await hands.wait(2.0)
        await answer(hands, "a")
        await fake.push(*(port.ReleasedEvent(call, "allowed by you") for call in told))
        await hands.shown.settle()
        assert "REVIEW 1 of 1" in hands.shown.text()
        assert "filesystem.write_file" in hands.shown.text()
        assert "4 of 4 calls allowed" in hands.shown.text()
        await fake.push(*(port.ReleasedEvent(c.row.id, "allowed by you") for c in CALLS))
        await hands.shown.settle()
        assert "4 of 4 calls allowed" in hands.shown.text()


@scenario
async def test_p08_what_comes_later_waits() -> None:
    fake = engine()
    async with reviewing(fake, 1301) as hands:
        await open_group(hands)
        late = issue(1305, "one more")
        await fake.push(port.HeldEvent(late))
        await hands.shown.settle()
        await hands.wait(2.0)
        await answer(hands, "a")
        assert sorted(d.call for d in hands.decided) == [1301, 1302, 1303, 1304]


@scenario
async def test_p08_a_call_that_is_over_or_changed_leaves_the_list_and_keys_are_armed_anew() -> None:
    fake = engine()
    async with reviewing(fake, 1301) as hands:
        await open_group(hands)
        await hands.wait(2.0)
        changed = replace(CALLS[1], revision=2)
        await fake.push(port.ReleasedEvent(1301, "time is up"), port.HeldEvent(changed))
        await hands.shown.settle()
        assert "2 of them changed or waits no more" in hands.shown.text()
        await hands.read("a")
        await hands.wait(SETTLED)
        assert hands.decided == []
        await hands.wait(2.0)
        await answer(hands, "a")
        assert sorted(d.call for d in hands.decided) == [1303, 1304]


@scenario
async def test_p08_one_that_executes_makes_the_group_take_two_keys() -> None:
    calls = (*CALLS[:2], replace(CALLS[2], two_keys=True))
    async with reviewing(engine(*calls), 1301) as hands:
        await open_group(hands)
        await hands.wait(2.0)
        await answer(hands, "a")
        assert hands.decided == []
        await hands.wait(0.5)
        await answer(hands, "!")
        assert len(hands.decided) == 3


@scenario
async def test_p08_a_long_list_is_off_until_its_end_was_seen() -> None:
    calls = tuple(issue(1300 + n, f"Fix bug {n} {'long ' * 30}") for n in range(30))
    async with reviewing(engine(*calls), 1300) as hands:
        await open_group(hands)
        await hands.wait(2.0)
        await answer(hands, "a")
        assert "scroll to the end" in hands.line("ignored")
        await hands.read("G")
        await hands.wait(2.0)
        await answer(hands, "a")
        assert len(hands.decided) == 30


@scenario
async def test_p08_a_resize_a_paste_and_a_burst_decide_nothing() -> None:
    async with reviewing(engine(), 1301) as hands:
        await open_group(hands)
        await hands.wait(2.0)
        await hands.read("a")
        await resized(hands.shown.pilot, 100, 30)
        await hands.wait(SETTLED)
        assert hands.decided == []
        await hands.wait(2.0)
        await hands.paste("a!a!")
        await hands.wait(SETTLED)
        await hands.read("a", "b", gap=0.05)
        await hands.wait(SETTLED)
        await hands.read("enter", "space", "y", gap=0.5)
        await hands.wait(SETTLED)
        assert hands.decided == []


@scenario
async def test_what_the_engine_refuses_is_said() -> None:
    fake = engine()
    fake.replies[port_answers.Decide] = port.Refused("the budget is used up")
    async with reviewing(fake, 1301) as hands:
        await open_group(hands)
        await hands.wait(2.0)
        await answer(hands, "a")
        assert "0 of 4 calls allowed; not the others: the budget is used up" in hands.shown.text()


@scenario
async def test_a_call_alone_is_no_group() -> None:
    async with reviewing(engine(CALLS[0]), 1301) as hands:
        await hands.wait(ARM_S)
        await hands.read("*")
        assert "no other call like it" in hands.shown.text()


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_the_group_screen(name: str, size: tuple[int, int]) -> None:
    async with reviewing(engine(), 1301, size) as hands:
        await open_group(hands)
        await hands.wait(2.0)
        golden(f"group-{name}", hands.shown.text())


# --- a rule in place of answers -----------------------------------------------------------------


@scenario
async def test_after_some_answers_alike_a_rule_is_offered_and_never_made() -> None:
    calls = tuple(issue(1301 + n, f"Fix bug {n}") for n in range(OFTEN + 1))
    fake = engine(*calls)
    snapshot = replace(busy(), held=calls, rows=tuple(call.row for call in calls))
    fake.now = snapshot
    async with reviewing(fake) as hands:
        for _ in range(OFTEN):
            assert "makes a rule" not in hands.shown.text()
            await hands.wait(2.0)
            await answer(hands, "a")
            await fake.push(port.ReleasedEvent(hands.decided[-1].call, "allowed by you"))
            await hands.shown.settle()
        assert f"the {OFTEN}th such answer: r makes a rule" in hands.shown.text()
        assert not [c for c in fake.sent if isinstance(c, port_rules.PutRule)]
        await hands.read("r")
        form = hands.shown.app.screen
        assert isinstance(form, RuleForm)
        assert form.draft().do == "approve"
        assert form.draft().tool == "create_issue"
        assert not [c for c in fake.sent if isinstance(c, port_rules.PutRule)]
