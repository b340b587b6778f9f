"""What is, and what never is, an answer on the review screen."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_answers, port_calls, port_rules
from mcpwall.model import Risk
from mcpwall.tui.guard import ARM_S, QUIET_S
from mcpwall.tui.review.panels import queue
from mcpwall.tui.widgets.fields import Fields
from mcpwall.tui.widgets.panel import Panel
from tests.tui.fake_port import FakePort
from tests.tui.hands import Hands, reviewing
from tests.tui.scenes import NOW_MS, busy, held, row
from tests.tui.screens import NARROW, WIDE, golden, resized, scenario

WRITE, ISSUE, RUN = 1280, 1282, 1283
SETTLED = QUIET_S + 0.02


def waiting(call: int) -> port_calls.Held:
    return next(h for h in busy().held if h.row.id == call)


def with_held(*more: port_calls.Held) -> port.Snapshot:
    return replace(busy(), held=more)


def long_call(lines: int = 200) -> port_calls.Held:
    arguments = {"path": "a.py", "content": "\n".join(f"line {n}" for n in range(lines))}
    return held(row(1300, "filesystem.write_file", arguments, risk=Risk.WRITE), arguments, 50)


async def answer(hands: Hands, key: str) -> None:
    """A proper key: alone, and its silence."""
    await hands.read(key)
    await hands.wait(SETTLED)


# --- arguments of megabytes ---------------------------------------------------------------------

HUGE = long_call(200_000)


@scenario
async def test_megabytes_of_arguments_are_on_screen_before_they_are_counted() -> None:
    async with reviewing(FakePort(with_held(long_call(3)))) as hands:
        fields = hands.screen.query_one(Fields)
        hands.screen.put(HUGE)
        assert not fields.whole
        assert fields.below < 10_000
        assert hands.screen.reading is not None
        assert hands.screen.reading.counts is None
        assert hands.screen.query_one("#foot", Panel)._lines[0][1][0].startswith(" · being counted")
        await hands.shown.settle()
        assert fields.whole
        assert "2 fields · 200,001 lines" in hands.shown.text()
        assert fields.below == 200_001 - fields.size.height


@scenario
async def test_p08_megabytes_are_allowed_only_after_their_end_was_on_screen() -> None:
    async with reviewing(FakePort(with_held(HUGE))) as hands:
        await hands.wait(3.0)
        await answer(hands, "a")
        assert "scroll to the end" in hands.line("ignored")
        await hands.read("G")
        assert "line·199999" in hands.shown.text()
        await hands.wait(3.0)
        await answer(hands, "a")
        assert [(d.call, d.allow) for d in hands.decided] == [(1300, True)]


@pytest.mark.parametrize("part", ["reading", "fields"])
@scenario
async def test_p08_nothing_is_allowed_while_arguments_are_laid_out_or_counted(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: float) -> None:
        await asyncio.Event().wait()

    where = {"reading": "screens.reading", "fields": "widgets.fields"}[part]
    monkeypatch.setattr(f"mcpwall.tui.{where}.sleep", never)
    async with reviewing(FakePort(with_held(HUGE))) as hands:
        for _ in range(3):
            await hands.read("G")
            await hands.wait(3.0)
            await answer(hands, "a")
        assert hands.decided == []
        await answer(hands, "d")  # but denied
        assert [(d.call, d.allow) for d in hands.decided] == [(1300, False)]


# --- the queue ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "marked", "told"),
    [
        (1, 0, "and 2 after"),
        (4, 3, "and 2 after"),
        (5, 3, "and 1 before, 1 after"),
        (6, 3, "and 2 before"),
    ],
)
def test_the_queue_has_the_call_on_screen_in_it(shown: int, marked: int, told: str) -> None:
    calls = [held(row(n, "shell.run", {}), {}, 50) for n in range(1, 7)]
    _, *lines, last = queue(calls, shown, NOW_MS, 100)
    marks = [part[0] == "▌" for part, *_ in lines]
    assert marks == [index == marked for index in range(4)]
    assert last[0][0].strip() == told


def test_the_queue_stays_in_columns_where_calls_wait_for_long() -> None:
    calls = [held(row(n, "shell.run", {}), {}, left) for n, left in ((1, 41), (2, 24 * 60))]
    _, *lines = ("".join(part[0] for part in line) for line in queue(calls, 1, NOW_MS, 100))
    assert [line.index("shell.run") for line in lines] == [lines[0].index("shell.run")] * 2


# --- a proper answer ----------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "allow"), [("a", True), ("d", False)])
@scenario
async def test_p08_an_armed_key_sends_one_decision_on_what_was_on_screen(
    key: str, allow: bool
) -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(ARM_S)
        await answer(hands, key)
        call = waiting(ISSUE)
        assert hands.decided == [port_answers.Decide(ISSUE, call.digest, call.revision, allow)]


@scenario
async def test_after_an_answer_the_next_call_is_shown_and_must_be_armed_anew() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(ARM_S)
        await answer(hands, "a")
        assert "filesystem.write_file" in hands.line("server filesystem")
        assert "call 1282: allowed" in hands.shown.text()
        await hands.read("d")
        assert "armed in" in hands.line("ignored")
        await hands.wait(2.0)
        assert len(hands.decided) == 1


@scenario
async def test_what_executes_takes_two_keys() -> None:
    async with reviewing(FakePort(busy()), RUN) as hands:
        await hands.wait(ARM_S)
        await answer(hands, "a")
        assert hands.decided == []
        assert "! within" in hands.line("two keys")
        await hands.wait(0.5)
        await answer(hands, "!")
        assert [(d.call, d.allow) for d in hands.decided] == [(RUN, True)]


@scenario
async def test_the_second_key_is_waited_for_only_so_long() -> None:
    async with reviewing(FakePort(busy()), RUN) as hands:
        await hands.wait(ARM_S)
        await answer(hands, "a")
        await hands.wait(5.0)
        assert hands.line("two keys") == ""
        await answer(hands, "!")
        assert "first key comes before" in hands.line("ignored")
        assert hands.decided == []


@scenario
async def test_a_denial_with_a_reason_says_it_to_the_model() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(ARM_S)
        await answer(hands, "D")
        await hands.read(*"add d! ", gap=0.1)
        assert hands.decided == []
        await hands.read("enter")
        assert [(d.allow, d.reason) for d in hands.decided] == [(False, "add d! ")]


@scenario
async def test_a_reason_that_is_given_up_denies_nothing_and_arms_anew() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(ARM_S)
        await answer(hands, "D")
        await hands.read("n", "o", gap=0.1)
        await hands.read("escape")
        await hands.wait(ARM_S / 2)
        await answer(hands, "a")
        assert "armed in" in hands.line("ignored")
        assert hands.decided == []
        await hands.wait(2.0)
        await answer(hands, "a")
        assert [(d.allow, d.reason) for d in hands.decided] == [(True, "")]


# --- accidents ----------------------------------------------------------------------------------


@scenario
async def test_a_key_read_before_the_call_was_painted_approves_nothing() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(10.0)  # handled long after, but read before
        await hands.read("a", ago=10.0 - ARM_S + 0.1)
        await hands.wait(1.0)
        assert "armed in" in hands.line("ignored")
        assert hands.decided == []


@scenario
async def test_opening_review_and_deciding_in_one_go_decides_nothing() -> None:
    engine = FakePort(busy())
    async with reviewing(engine) as hands:
        hands.shown.app.open("calls")
        await hands.shown.settle()
        await hands.read("p", "a", gap=0.3)
        await hands.wait(2.0)
        assert hands.decided == []


@pytest.mark.parametrize("text", ["a", "aa", "d", "y\n", "a!"])
@scenario
async def test_a_paste_approves_nothing(text: str) -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(3.0)
        await hands.paste(text)
        await hands.wait(3.0)
        assert "paste decides nothing" in hands.shown.text()
        assert hands.decided == []


@scenario
async def test_a_paste_right_after_the_key_takes_it_back() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(3.0)
        await hands.read("a")
        await hands.paste("bc")
        await hands.wait(3.0)
        assert hands.decided == []


@scenario
async def test_a_call_whose_arguments_are_not_drawn_is_not_decided_on() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        hands.screen.query_one(Fields).display = False
        hands.screen.show_call(WRITE)
        await hands.wait(3.0)
        await answer(hands, "d")
        assert "just redrawn" in hands.line("ignored")
        assert hands.decided == []


@pytest.mark.parametrize("burst", ["and all", "a ", "xa", "ad", "a!", "ya"])
@scenario
async def test_a_burst_of_keys_approves_nothing(burst: str) -> None:
    async with reviewing(FakePort(busy()), RUN) as hands:
        await hands.wait(3.0)
        await hands.read(*("space" if c == " " else c for c in burst), gap=0.05)
        await hands.wait(3.0)
        assert hands.decided == []


@scenario
async def test_a_key_that_is_held_down_approves_nothing() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.read("a")
        await hands.wait(0.66)
        for _ in range(40):
            await hands.read("a")
            await hands.wait(0.3)
        assert hands.decided == []


@pytest.mark.parametrize("key", ["enter", "space", "y", "Y"])
@scenario
async def test_keys_that_people_press_without_thinking_approve_nothing(key: str) -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(3.0)
        await answer(hands, key)
        assert hands.decided == []


@scenario
async def test_clicks_approve_nothing() -> None:
    async with reviewing(FakePort(busy()), ISSUE, NARROW) as hands:
        await hands.wait(3.0)
        for y in range(NARROW[1]):
            await hands.shown.pilot.click(offset=((y * 7) % NARROW[0], y))
        for x in range(0, NARROW[0], 4):  # the line that names the keys
            await hands.shown.pilot.click(offset=(x, NARROW[1] - 2))
        await hands.wait(3.0)
        assert hands.decided == []


@scenario
async def test_a_resize_between_the_key_and_its_silence_voids_it() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(3.0)
        await hands.read("a")
        await resized(hands.shown.pilot, 100, 30)
        await hands.wait(SETTLED)
        assert hands.decided == []
        await hands.wait(3.0)
        await answer(hands, "a")
        assert len(hands.decided) == 1


@scenario
async def test_coming_back_to_the_window_arms_anew() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(3.0)
        hands.shown.app.app_focus = False
        await hands.shown.settle()
        hands.shown.app.app_focus = True
        await hands.shown.settle()
        await answer(hands, "a")
        assert "armed in" in hands.line("ignored")
        await hands.wait(2.0)
        await answer(hands, "a")
        assert len(hands.decided) == 1


@scenario
async def test_help_over_the_call_arms_anew() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.wait(3.0)
        hands.screen.on_screen_suspend()
        hands.screen.on_screen_resume()
        await hands.shown.settle()
        await answer(hands, "a")
        assert hands.decided == []


@scenario
async def test_another_view_or_another_scope_arms_anew() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        for key in ("v", "v", "=", "s", "tab"):
            await hands.wait(3.0)
            await hands.read(key)
            await hands.wait(0.3)
            await answer(hands, "a")
            assert "armed in" in hands.line("ignored"), key
        assert hands.decided == []


@scenario
async def test_a_window_too_small_for_the_whole_call_decides_nothing() -> None:
    async with reviewing(FakePort(busy()), ISSUE, (80, 11)) as hands:
        await hands.wait(3.0)
        await answer(hands, "d")
        assert "needs 40x12" in hands.shown.text()
        assert hands.decided == []


@scenario
async def test_nothing_is_answered_without_an_engine() -> None:
    engine = FakePort(busy())
    async with reviewing(engine, ISSUE) as hands:
        await hands.wait(3.0)
        await engine.break_off("the engine is gone; it is being started")
        await hands.shown.settle()
        await answer(hands, "a")
        assert "no answer can be given" in hands.shown.text()
        assert hands.decided == []


# --- the call moves while it is looked at -------------------------------------------------------


@scenario
async def test_p08_a_call_that_changed_under_the_cursor_is_not_approved() -> None:
    engine = FakePort(busy())
    async with reviewing(engine, ISSUE) as hands:
        await hands.wait(3.0)
        await hands.read("a")
        changed = replace(waiting(ISSUE), revision=2)
        await engine.push(port.HeldEvent(changed))
        await hands.shown.settle()
        await hands.wait(SETTLED)
        assert hands.decided == []
        assert "changed: read it again" in hands.shown.text()
        await hands.wait(3.0)
        await answer(hands, "a")
        assert [d.revision for d in hands.decided] == [2]


@scenario
async def test_p08_a_call_whose_time_is_up_is_said_to_be_over_and_none_takes_its_place() -> None:
    engine = FakePort(busy())
    async with reviewing(engine, ISSUE) as hands:
        await hands.wait(3.0)
        await hands.read("a")
        await engine.push(port.ReleasedEvent(ISSUE, "time is up"))
        await hands.shown.settle()
        await hands.wait(3.0)
        assert "this call is over: time is up" in hands.shown.text()
        assert "github.create_issue" in hands.line("server github")
        await answer(hands, "a")
        await hands.wait(2.0)
        await answer(hands, "d")
        assert hands.decided == []
        await hands.wait(2.0)
        await hands.read("]")
        await hands.wait(0.3)
        assert "filesystem.write_file" in hands.line("server filesystem")
        await answer(hands, "a")
        assert "armed in" in hands.line("ignored")


@scenario
async def test_a_call_that_ends_while_a_reason_is_written_is_not_denied() -> None:
    engine = FakePort(busy())
    async with reviewing(engine, ISSUE) as hands:
        await hands.wait(3.0)
        await answer(hands, "D")
        await engine.push(port.ReleasedEvent(ISSUE, "cancelled by the agent"))
        await hands.shown.settle()
        await hands.read("n", "enter", gap=0.2)
        assert "cancelled by the agent" in hands.shown.text()
        assert hands.decided == []


@scenario
async def test_a_new_call_joins_the_queue_and_not_the_place_under_the_hands() -> None:
    engine = FakePort(with_held(waiting(ISSUE)))
    async with reviewing(engine) as hands:
        await hands.wait(3.0)
        sooner = replace(waiting(WRITE), deadline_ms=NOW_MS + 1000)
        await engine.push(port.HeldEvent(sooner))
        await hands.shown.settle()
        assert "2 of 2" in hands.line("REVIEW")
        await answer(hands, "a")
        assert [d.call for d in hands.decided] == [ISSUE]


@scenario
async def test_a_refused_decision_says_why_and_takes_the_keys_anew() -> None:
    engine = FakePort(busy())
    engine.replies[port_answers.Decide] = port.Refused(
        "call 1282 changed meanwhile; look at it again"
    )
    async with reviewing(engine, ISSUE) as hands:
        await hands.wait(3.0)
        await answer(hands, "a")
        assert "▲ call 1282 changed meanwhile" in hands.shown.text()
        await answer(hands, "d")
        assert "ignored" in hands.shown.text()
        assert len(hands.decided) == 1


@scenario
async def test_who_went_on_before_the_answer_was_taken_stays_where_they_are() -> None:
    engine = FakePort(busy())
    async with reviewing(engine, ISSUE) as hands:

        def slow(command: port.Command) -> port.Reply:
            hands.screen.do_next()
            return port.Done("allowed")

        engine.replies[port_answers.Decide] = slow
        await hands.wait(3.0)
        await answer(hands, "a")
        assert "shell.run" in hands.line("server shell")
        assert "call 1282: allowed" in hands.shown.text()
        await hands.wait(0.3)
        await answer(hands, "d")
        assert "armed in" in hands.line("ignored")
        assert len(hands.decided) == 1


# --- long arguments -----------------------------------------------------------------------------


@scenario
async def test_allow_is_off_until_the_end_has_been_on_screen_and_deny_is_not() -> None:
    async with reviewing(FakePort(with_held(long_call())), 1300) as hands:
        await hands.wait(3.0)
        assert "more lines below" in hands.line("sha256")
        await answer(hands, "a")
        assert "scroll to the end" in hands.line("ignored")
        await hands.wait(3.0)
        await hands.read("G")
        assert "END" in hands.line("sha256")
        await hands.wait(3.0)
        await hands.read("g")
        await hands.wait(3.0)
        await answer(hands, "a")
        assert [d.allow for d in hands.decided] == [True]


@scenario
async def test_deny_needs_no_end() -> None:
    async with reviewing(FakePort(with_held(long_call())), 1300) as hands:
        await hands.wait(3.0)
        await answer(hands, "d")
        assert [d.allow for d in hands.decided] == [False]


@scenario
async def test_the_end_in_the_comparison_is_not_the_end_of_the_arguments() -> None:
    async with reviewing(FakePort(with_held(long_call())), 1300) as hands:
        await hands.read("=")
        await hands.read("G")
        await hands.wait(3.0)
        await answer(hands, "a")
        assert "scroll to the end" in hands.line("ignored")


# --- remembering --------------------------------------------------------------------------------


@scenario
async def test_the_answer_is_remembered_as_the_panel_said() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        await hands.read("s")
        assert "(•) this session" in hands.line("matching ") or "(•) this session" in hands.line(
            "  for "
        )
        await hands.read("tab")
        assert 'github.create_issue with repo = "acme/api"' in hands.line("matching")
        await hands.wait(3.0)
        await answer(hands, "a")
        remember = port_answers.Remember(
            port_answers.Scope.SESSION, port_answers.Match.ARGUMENT, "repo", "acme/api"
        )
        assert [d.remember for d in hands.decided] == [remember]


@scenario
async def test_each_step_asks_what_it_would_have_matched() -> None:
    async with reviewing(FakePort(busy()), ISSUE) as hands:
        assert "would have matched 3 of the last 500 calls" in hands.shown.text()
        for key in ("tab", "tab", "tab", "tab", "shift+tab"):
            await hands.read(key)
        asked = [c.remember for c in hands.engine.sent if isinstance(c, port_rules.Preview)]
        assert [r.match for r in asked if r][-3:] == [
            port_answers.Match.TOOL,
            port_answers.Match.SERVER,
            port_answers.Match.TOOL,
        ]


# --- what is seen -------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_a_call_that_executes(name: str, size: tuple[int, int]) -> None:
    async with reviewing(FakePort(busy()), RUN, size) as hands:
        await hands.wait(3.0)
        golden(f"review-{name}", hands.shown.text())


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_a_long_call_remembered(name: str, size: tuple[int, int]) -> None:
    engine = FakePort(with_held(long_call()))
    async with reviewing(engine, 1300, size) as hands:
        await hands.read("s")
        await hands.wait(3.0)
        golden(f"review-long-{name}", hands.shown.text())


@scenario
async def test_p10_hostile_text_arrives_nowhere_as_it_is() -> None:
    evil = "x\x1b]52;c;SEVJTA==\x07[/foo][@click=app.quit]y\u202e‹end"
    arguments = {evil: evil, "deep": [{evil: evil}]}
    base = row(1400, evil, arguments, server=evil, agent=evil, risk=Risk.WRITE)
    call = held(base, arguments, 50, flags=(evil,), why=(evil,))
    engine = FakePort(with_held(call))
    engine.replies[port_answers.Decide] = port.Refused(evil)
    async with reviewing(engine, 1400) as hands:
        await hands.wait(3.0)
        for key in ("v", "v", "=", "s", "tab", "tab"):
            await hands.read(key)
            await hands.wait(1.0)
            text = hands.shown.text()
            assert not set(text) & set("\x1b\x07\u202e")
            assert "[/foo]" in text
        await hands.wait(3.0)
        await answer(hands, "d")
        assert "‹ESC›" in hands.line("▲ x")


# --- secrets that are hidden --------------------------------------------------------------------


@scenario
async def test_hidden_secrets_are_shown_on_demand_and_the_call_is_armed_anew() -> None:
    mark = "⟨secret 9 chars, 1a2b3c4d⟩"
    call = held(row(1300, "notes.login", {"token": mark}), {"token": mark}, 50, masked=True)
    told = FakePort(with_held(call))
    told.replies[port_answers.Reveal] = port_answers.Revealed({"token": "abc-12345"})
    async with reviewing(told, 1300) as hands:
        await hands.wait(ARM_S)
        assert mark in hands.shown.text()
        await hands.read(".")
        await hands.wait(0.1)
        assert "abc-12345" in hands.shown.text()
        assert port_answers.Reveal(1300, call.digest) in told.sent
        await answer(hands, "a")
        assert hands.decided == []  # what is on screen now was not there long enough
        await hands.read(".")
        await hands.wait(2.0)
        assert mark in hands.shown.text()
        await answer(hands, "a")
        assert hands.decided == [port_answers.Decide(1300, call.digest, call.revision, allow=True)]


@pytest.mark.parametrize("size", [WIDE, (60, 16)], ids=["large", "small"])
@scenario
async def test_what_a_server_asks_of_an_agent_is_shown_as_that(size: tuple[int, int]) -> None:
    asks = replace(
        row(1300, "", {}, server="notes", risk=Risk.READ), method="sampling/createMessage"
    )
    async with reviewing(
        FakePort(with_held(held(asks, {"maxTokens": 9}, 50))), 1300, size
    ) as hands:
        await hands.wait(3.0)
        text = hands.shown.text()
        assert "notes asks claude-code#1" in text
        assert "ASKS" in text
        assert "READ" not in text
        assert "notes sampling/createMessage" in text
        assert "wants to run" not in text
