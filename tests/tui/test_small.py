"""A window of 40 by 12 cells: a person can decide in it, and no screen lies."""

from __future__ import annotations

from datetime import UTC

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_answers, port_calls
from mcpwall.model import Risk
from mcpwall.tui.call_list import CallLine
from mcpwall.tui.columns import call_line, columns
from mcpwall.tui.guard import ARM_S, QUIET_S
from mcpwall.tui.rules.table import columns as rule_columns
from mcpwall.tui.rules.table import rule_line
from mcpwall.tui.screens.calls import STANDS
from tests.tui import hostile
from tests.tui.fake_port import FakePort
from tests.tui.hands import Hands, reviewing
from tests.tui.scenes import NOW_MS, busy, details, empty, held, row
from tests.tui.screens import NARROW, WIDE, golden, resized, scenario, showing

SMALL, LOW = (40, 12), (60, 16)
WRITE, ISSUE, RUN = 1280, 1282, 1283
SETTLED = QUIET_S + 0.02


def waiting(call: int) -> port_calls.Held:
    return next(h for h in busy().held if h.row.id == call)


def long_call(lines: int = 200, **more: object) -> FakePort:
    arguments = {"path": "a.py", "content": "\n".join(f"line {n}" for n in range(lines))}
    call = held(row(1300, "filesystem.write_file", arguments, risk=Risk.WRITE), arguments, 50)
    return FakePort(replace(busy(), held=(replace(call, **more),)))


async def answer(hands: Hands, key: str) -> None:
    await hands.read(key)
    await hands.wait(SETTLED)


async def scrolled(hands: Hands) -> str:
    """All that was on screen on the way from the start to the end."""
    seen = hands.shown.text()
    while "MORE" in hands.shown.text():
        await hands.read("pagedown")
        await hands.wait(0.3)
        seen += hands.shown.text()
    return seen


# --- deciding -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "size"), [("40x12", SMALL), ("60x16", LOW)])
@scenario
async def test_a_call_that_executes(name: str, size: tuple[int, int]) -> None:
    async with reviewing(FakePort(busy()), RUN, size) as hands:
        await hands.wait(3.0)
        golden(f"review-{name}", hands.shown.text())
        await hands.read("G")
        await hands.wait(3.0)
        golden(f"review-end-{name}", hands.shown.text())


@scenario
async def test_who_scrolls_to_the_end_has_seen_all_that_a_decision_rests_on() -> None:
    flags = ("first use of this tool", "pipes a download to sh")
    async with reviewing(long_call(flags=flags), 1300, SMALL) as hands:
        seen = await scrolled(hands)
    words = " ".join(seen.split())
    for said in (
        "claude-code#1 wants to run",
        "filesystem.write_file",
        "pid 5233",
        "/home/dev/acme",
        *flags,
        '"a.py"',
        *(f"line·{n}" for n in range(200)),
        "rule r03 asks when a tool changes something",
        "risk write: its name says so",
        "WRITE",
        "refused in 0:50",
    ):
        assert said in words, said


@pytest.mark.parametrize(("key", "allow"), [("a", True), ("d", False)])
@scenario
async def test_p08_an_armed_key_sends_one_decision_on_what_was_on_screen(
    key: str, allow: bool
) -> None:
    async with reviewing(FakePort(busy()), ISSUE, SMALL) as hands:
        await hands.read("G")
        await hands.wait(ARM_S + 0.1)
        await answer(hands, key)
        call = waiting(ISSUE)
        assert hands.decided == [port_answers.Decide(ISSUE, call.digest, call.revision, allow)]


@scenario
async def test_allow_is_off_until_the_end_has_been_on_screen_and_deny_is_not() -> None:
    async with reviewing(long_call(), 1300, SMALL) as hands:
        await hands.wait(3.0)
        assert "a: see the end first" in hands.shown.text()
        await answer(hands, "a")
        assert "scroll to the end" in hands.line("ignored")
        await hands.wait(3.0)
        await hands.read("G")
        await hands.wait(3.0)
        await answer(hands, "a")
        assert [d.allow for d in hands.decided] == [True]
    async with reviewing(long_call(), 1300, SMALL) as hands:
        await hands.wait(3.0)
        await answer(hands, "d")
        assert [d.allow for d in hands.decided] == [False]


@scenario
async def test_what_executes_takes_two_keys() -> None:
    async with reviewing(FakePort(busy()), RUN, SMALL) as hands:
        await hands.read("G")
        await hands.wait(3.0)
        assert "a then ! allow once" in hands.shown.text()
        await answer(hands, "a")
        assert hands.decided == []
        assert "! within 5 s: allow once" in hands.shown.text()
        await hands.wait(0.5)
        await answer(hands, "!")
        assert [(d.call, d.allow) for d in hands.decided] == [(RUN, True)]


@scenario
async def test_a_key_read_before_the_call_was_painted_approves_nothing() -> None:
    async with reviewing(FakePort(busy()), ISSUE, SMALL) as hands:
        await hands.read("G")
        await hands.wait(10.0)
        await hands.read("a", ago=10.0 - ARM_S + 0.1)
        await hands.wait(1.0)
        assert "armed in" in hands.line("ignored")
        assert hands.decided == []


@pytest.mark.parametrize("size", [WIDE, NARROW, LOW, (40, 14)])
@scenario
async def test_a_resize_to_it_or_from_it_voids_the_key_and_shows_all_anew(
    size: tuple[int, int],
) -> None:
    for first, then in ((size, SMALL), (SMALL, size)):
        async with reviewing(FakePort(busy()), ISSUE, first) as hands:
            await hands.read("G")
            await hands.wait(3.0)
            await hands.read("a")
            await resized(hands.shown.pilot, *then)
            await hands.wait(SETTLED)
            assert hands.decided == []
            text = hands.shown.text()
            assert "github.create_issue" in text
            assert ("── ARGUMENTS ──" in text) is (then in (SMALL, LOW, (40, 14)))
            await hands.wait(3.0)
            await answer(hands, "a")
            assert len(hands.decided) == 1


@scenario
async def test_the_end_of_a_long_call_must_be_seen_although_the_window_shrank() -> None:
    async with reviewing(long_call(), 1300, WIDE) as hands:
        await hands.wait(3.0)
        await resized(hands.shown.pilot, *SMALL)
        await hands.wait(3.0)
        await answer(hands, "a")
        assert "scroll to the end" in hands.line("ignored")
        assert hands.decided == []


@pytest.mark.parametrize("size", [(39, 12), (40, 11), (20, 5)])
@scenario
async def test_a_smaller_window_decides_nothing_and_says_what_it_needs(
    size: tuple[int, int],
) -> None:
    async with reviewing(FakePort(busy()), ISSUE, size) as hands:
        await hands.wait(3.0)
        for key in ("a", "d"):
            await answer(hands, key)
            await hands.wait(2.0)
        assert hands.decided == []
        assert "needs 40x12 cells" in hands.shown.text()
        assert "3 calls waiting" in hands.shown.text()


@scenario
async def test_what_an_answer_would_mean_beyond_this_call_stands_above_it() -> None:
    async with reviewing(FakePort(busy()), ISSUE, SMALL) as hands:
        await hands.read("G")
        await hands.read("s")
        await hands.read("tab")
        text = " ".join(hands.shown.text().split())
        assert "▲ the answer holds this session, for github.create_issue with repo =" in text
        assert "would have matched 3 of the last 500 …" in text
        await hands.wait(3.0)
        await answer(hands, "a")
        assert [d.remember and d.remember.argument for d in hands.decided] == ["repo"]


@scenario
async def test_a_reason_for_a_denial_can_be_written() -> None:
    async with reviewing(FakePort(busy()), ISSUE, SMALL) as hands:
        await hands.wait(ARM_S + 0.1)
        await answer(hands, "D")
        assert "enter denies" in hands.shown.text()
        await hands.read(*"no", gap=0.1)
        await hands.read("enter")
        assert [(d.allow, d.reason) for d in hands.decided] == [(False, "no")]


@scenario
async def test_a_call_that_is_over_and_an_engine_that_is_gone_are_said() -> None:
    engine = FakePort(busy())
    async with reviewing(engine, ISSUE, SMALL) as hands:
        await engine.push(port.ReleasedEvent(ISSUE, "time is up"))
        await hands.shown.settle()
        assert "✗ this call is over: time is up" in hands.shown.text()
        await hands.read("]")
        await engine.break_off("gone")
        await hands.shown.settle()
        await hands.read("j")
        assert "○ NO ENGINE" in hands.shown.text()


@pytest.mark.parametrize("size", [SMALL, (40, 15), LOW], ids=["40x12", "40x15", "60x16"])
@scenario
async def test_a_lockdown_is_in_sight_in_review(size: tuple[int, int]) -> None:
    locked = replace(busy().status, lockdown=True)
    async with reviewing(FakePort(replace(busy(), status=locked)), ISSUE, size) as hands:
        assert hands.shown.text().count("■ LOCKDOWN: no tool call passes") == 1


@scenario
async def test_the_counts_have_room_beside_a_lockdown() -> None:
    locked = replace(busy().status, lockdown=True)
    async with showing(FakePort(replace(busy(), status=locked)), SMALL) as shown:
        assert shown.text().startswith(" ■ LOCKDOWN ✓ 1,240 ✗ 17 ~ 4 ! 20\n")


@scenario
async def test_a_lockdown_is_in_sight_when_the_last_call_is_over() -> None:
    call = waiting(ISSUE)
    locked = replace(busy().status, lockdown=True)
    engine = FakePort(replace(busy(), held=(call,), status=locked))
    async with reviewing(engine, ISSUE, SMALL) as hands:
        await engine.push(port.ReleasedEvent(ISSUE, "denied by a change of the rules"))
        await hands.shown.settle()
        await hands.read("escape")
        await hands.read("p")
        assert "Nothing waits for you." in hands.shown.text()
        assert "■ LOCKDOWN: no tool call passes" in hands.shown.text()


@scenario
async def test_that_nothing_waits_is_not_said_without_an_engine() -> None:
    engine = FakePort(replace(busy(), held=()))
    async with showing(engine, SMALL) as shown:
        await shown.press("p")
        assert "Nothing waits for you." in shown.text()
        await engine.break_off("gone")
        await shown.settle()
        await shown.press("j")
        assert "Nothing waits for you." not in shown.text()
        assert "○ NO ENGINE" in shown.text()


@scenario
async def test_p10_hostile_text_is_harmless() -> None:
    snapshot = hostile.snapshot()
    fake = FakePort(snapshot)
    fake.replies.update(hostile.answers(snapshot))
    async with showing(fake, SMALL) as shown:
        for key in ("p", "s", "tab", "v", "=", "end", "escape", "k", "enter", "escape", "3", "4"):
            await shown.press(key)
            assert shown.text().replace("\n", "").isprintable(), key


# --- the other screens --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [SMALL, (59, 12), LOW], ids=["40x12", "59x12", "60x16"])
@pytest.mark.parametrize(
    ("name", "keys"),
    {
        "calls": ("k", "space"), "rules": ("3",), "servers": ("4",), "sessions": ("5",),
        "audit": ("6",), "help": ("?",), "stop": ("Q",), "full view": ("g", "enter"),
        "rule form": ("r",), "palette": (":",), "edit": ("p", "e"),
        "pair": ("space", "k", "space", "="),
    }.items(),
)  # fmt: skip
@scenario
async def test_every_screen_fits(name: str, keys: tuple[str, ...], size: tuple[int, int]) -> None:
    fake = FakePort(busy())
    fake.replies[port_calls.Details] = details(fake.now)
    fake.replies[port_calls.Search] = port_calls.Found(fake.now.rows, 0, 0, 16)
    async with showing(fake, size) as shown:
        for _ in range(STANDS):  # the newest call stays: all about it is asked for
            await shown.settle()
        await shown.press(*keys)
        for worker in list(shown.app.workers):
            if worker.name == "details":  # what the engine says of a call comes a moment later
                await worker.wait()
        await shown.settle()
        text = shown.text()
        assert len(text.splitlines()) == size[1]
        assert all(len(line) <= size[0] for line in text.splitlines())
        if size == SMALL and name in ("calls", "rules", "servers", "sessions", "audit"):
            golden(f"{name}-40x12", text)
        await resized(shown.pilot, *WIDE)
        await resized(shown.pilot, *size)
        for _ in range(100):  # a screen behind a window is laid out by a timer of its own
            await shown.settle()
            if shown.text() == text:
                break
        assert shown.text() == text


@scenario
async def test_no_number_is_cut_off() -> None:
    """A count of which only the first digits fit would be a lie."""
    million = port.Totals(calls=9, allowed=1_234_567, denied=2_345_678, limited=3, errors=4_567)
    async with showing(FakePort(replace(busy(), totals=million)), SMALL) as shown:
        for width in range(40, 121):
            await resized(shown.pilot, width, 12)
            header = shown.text().splitlines()[0]
            numbers = [word for word in header.split() if word.strip("0123456789,") == ""]
            told = {"1,234,567", "2,345,678", "3", "4,567", "2", "9"}
            assert set(numbers) <= told, header


@scenario
async def test_an_empty_wall_says_something_at_this_size() -> None:
    async with showing(FakePort(empty()), SMALL) as shown:
        assert "Nothing has called a tool yet" in shown.text()


@pytest.mark.parametrize("cells", range(40, 161))
def test_the_rules_have_room_for_which_calls_they_are_about(cells: int) -> None:
    widths = rule_columns(cells)
    line = rule_line(busy().rules[1], widths, NOW_MS, UTC)
    assert widths.what >= 11
    assert sum(len(text) for text, _ in line) <= cells


@pytest.mark.parametrize("cells", range(34, 161))
def test_a_line_of_the_call_table_fits(cells: int) -> None:
    waiting = replace(busy().rows[9], agent="an-agent-with-a-long-name#12")
    line = call_line(CallLine(waiting, [0]), columns(cells), UTC, left="0:41", marked=True)
    assert sum(len(text) for text, _ in line) <= cells
