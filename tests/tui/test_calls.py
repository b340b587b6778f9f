from __future__ import annotations

import json
import re

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_answers, port_calls
from mcpwall.engine.port_timing import Timing
from mcpwall.model import Risk
from tests.tui.fake_port import FakePort
from tests.tui.scenes import (
    ASKED,
    NOW_MS,
    again,
    busy,
    details,
    empty,
    held,
    row,
)
from tests.tui.screens import NARROW, WIDE, Shown, golden, scenario, showing

ANSWER = '{"content":[{"type":"text","text":"posted"}]}'


def engine(snapshot: port.Snapshot | None = None) -> FakePort:
    made = FakePort(snapshot or busy())
    made.replies[port_calls.Details] = details(made.now, ANSWER)
    return made


async def frame(shown: Shown) -> None:
    """Take in what came, once, and draw it."""
    shown.app.repaint()
    await shown.pilot.pause()


def asked(fake: FakePort) -> list[int]:
    return [command.call for command in fake.sent if isinstance(command, port_calls.Details)]


async def select(shown: Shown, call: int) -> None:
    """Move the cursor to a call."""
    for _ in range(40):
        if f"CALL {call} " in shown.text():
            return
        await shown.press("k")
    pytest.fail(f"call {call} cannot be selected")


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_calls_as_they_look(name: str, size: tuple[int, int]) -> None:
    async with showing(engine(), size) as shown:
        await select(shown, 1279)
        golden(f"calls-{name}", shown.text())


@scenario
async def test_a_call_appears_as_it_happens_and_changes_in_its_place() -> None:
    fake = engine()
    async with showing(fake) as shown:
        call = row(1300, "git.log", {"n": 5}, agent="codex#1", state=port_calls.State.RUNNING)
        await fake.push(port.RowEvent(call))
        await shown.settle()
        assert "git.log             n=5               > running" in shown.text()
        await fake.push(again(call, state=port_calls.State.DONE, took_us=3_000))
        await shown.settle()
        assert "git.log             n=5               ✓ allow         3ms" in shown.text()


@scenario
async def test_moving_stops_following_and_counts_what_comes() -> None:
    fake = engine()
    async with showing(fake) as shown:
        assert "following the newest" in shown.text()
        await select(shown, 1279)
        new = (row(n, "git.log", {"n": n}) for n in range(1300, 1307))
        await fake.push(*(port.RowEvent(call) for call in new))
        await shown.settle()
        assert " 7 new   f to follow" in shown.text()
        assert " CALL 1279 " in shown.text()
        await shown.press("f")
        assert "following the newest" in shown.text()
        assert " CALL 1306 " in shown.text()


@scenario
async def test_the_strip_keeps_its_height_and_counts_down() -> None:
    fake = engine()
    now = [NOW_MS / 1000]
    async with showing(fake, now=lambda: now[0]) as shown:
        heading = next(n for n, line in enumerate(shown.text().splitlines()) if " TIME " in line)
        assert "? 0:41  claude-code#1  filesystem.write_file" in shown.text()
        now[0] += 10
        shown.app.screen.tick()
        await shown.pilot.pause()
        assert "? 0:31  claude-code#1  filesystem.write_file" in shown.text()
        for call in (1280, 1282, 1283):
            await fake.push(port.ReleasedEvent(call, "denied by you"))
        await shown.settle()
        lines = shown.text().splitlines()
        assert "nothing waits for you" in shown.text()
        assert " TIME " in lines[heading]


@scenario
async def test_a_narrow_strip_cuts_the_name_and_keeps_risk_and_key() -> None:
    fake = engine()
    async with showing(fake, NARROW) as shown:
        long = row(1400, "everything." + "run_" * 20, {}, risk=Risk.EXECUTE)
        fake.now = replace(fake.now, held=(held(long, {}, 60),))
        await fake.push(gap=True)
        await shown.settle()
        line = next(line for line in shown.text().splitlines() if "1 WAITING" in line)
        assert re.search(r"run_.*… +EXEC  p review", line)


@scenario
async def test_alike_calls_share_a_line_of_the_strip() -> None:
    fake = engine()
    async with showing(fake) as shown:
        issue = {"repo": "acme/api", "title": "Another"}
        more = [
            row(n, "github.create_issue", issue, risk=Risk.WRITE, verdict=ASKED,
                state=port_calls.State.HELD)
            for n in (1290, 1291)
        ]  # fmt: skip
        await fake.push(*(port.HeldEvent(held(call, issue, 70)) for call in more))
        await shown.settle()
        assert "WAITING FOR YOU: 5" in shown.text()
        assert "3 alike" in shown.text()


@scenario
async def test_the_strip_stays_in_columns_where_calls_wait_for_long() -> None:
    fake = engine()
    fake.now = replace(fake.now, held=tuple(
        held(row(n, tool, {}, verdict=ASKED, state=port_calls.State.HELD), {}, left)
        for n, tool, left in ((1400, "pay.refund", 41), (1401, "pay.list", 24 * 60))
    ))  # fmt: skip
    async with showing(fake) as shown:
        first, second = (line for line in shown.text().splitlines() if line.startswith("│ ? "))
        assert first.index("pay.refund") == second.index("pay.list")


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_enter_on_a_call_shows_all_of_it(name: str, size: tuple[int, int]) -> None:
    fake = engine()
    async with showing(fake, size) as shown:
        await select(shown, 1279)
        await shown.press("enter")
        golden(f"call-{name}", shown.text())
        await shown.press("escape")
        assert "[1 Calls]" in shown.text()


@pytest.mark.parametrize("size", [WIDE, NARROW])
@scenario
async def test_the_full_view_says_where_the_time_of_a_call_went(size: tuple[int, int]) -> None:
    fake = engine()
    known = fake.replies[port_calls.Details]
    timing = Timing(judged_us=31, waited_us=12_400_000, sent_us=21)
    fake.replies[port_calls.Details] = lambda command: replace(known(command), timing=timing)
    async with showing(fake, size) as shown:
        await select(shown, 1270)
        assert "judged 31µs · waited 12.4s · sent 21µs" in shown.text()
        await shown.press("enter", "G")
        told = [" ".join(line.split()) for line in shown.text().splitlines()]
        assert told[told.index("WHERE ITS TIME WENT") :][:5] == [
            "WHERE ITS TIME WENT",
            "judged by the wall 31µs",
            "waited to be decided on 12.4s",
            "written down and sent on 21µs",
            "server, there and back 38ms",
        ]


@scenario
async def test_a_stage_that_is_not_known_is_not_named() -> None:
    async with showing(engine()) as shown:
        await select(shown, 1273)  # refused; nothing of it is known
        await shown.press("enter")
        assert "WHERE ITS TIME WENT" not in shown.text()
        await shown.press("escape")
        await select(shown, 1270)
        assert "claude-code#1 · 14:02:19 · server 38ms" in shown.text()


@scenario
async def test_enter_on_a_waiting_call_opens_review_and_decides_nothing() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await select(shown, 1282)
        await shown.press("enter")
        assert "REVIEW" in shown.text()
        assert "github.create_issue" in shown.text()
        assert not [command for command in fake.sent if isinstance(command, port_answers.Decide)]


@scenario
async def test_keys_change_how_the_arguments_are_shown() -> None:
    async with showing(engine()) as shown:
        await select(shown, 1279)
        await shown.press("v")
        assert '{"channel":"#eng","text":"deploy' in shown.text()
        await shown.press("v", "=")
        text = shown.text()
        assert text.index("│ CHANGED SINCE CALL 1266") < text.index("│ ARGUMENTS")


@scenario
async def test_copy_gives_json_that_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    async with showing(engine()) as shown:
        monkeypatch.setattr(shown.app, "copy_to_clipboard", copied.append)
        await select(shown, 1279)
        await shown.press("y")
    assert len(copied) == 1
    assert copied[0].isascii()
    assert r"\u001b]52;c;SEVJTA==\u0007" in copied[0]


@scenario
async def test_an_answer_that_is_shown_whole_has_no_bytes_more() -> None:
    fake = engine()
    known = details(fake.now, "posted")

    def reply(command: port.Command) -> port.Reply:
        told = known(command)
        assert isinstance(told, port_calls.CallDetails)
        left = 0 if told.row.id == 1279 else 7
        return replace(told, answer_size=99, answer_left=left)  # the envelope counts

    fake.replies[port_calls.Details] = reply
    async with showing(fake) as shown:
        await select(shown, 1279)
        assert "posted" in shown.text()
        assert "bytes more" not in shown.text()
        await shown.press("k")
        assert "7 bytes more, not kept" in shown.text()


@scenario
async def test_a_result_is_broken_between_words_and_keeps_its_lines() -> None:
    fake = engine()
    words = " ".join(["considerable"] * 9)
    fake.replies[port_calls.Details] = details(fake.now, f"{words}\n\n    indented\n")
    async with showing(fake) as shown:
        await select(shown, 1272)
        pane = [line.partition("│")[2].rstrip() for line in shown.text().splitlines()]
        at = next(n for n, line in enumerate(pane) if "ANSWER" in line)
        shown_words = " ".join(pane[at + 1 : at + 4]).split()
        assert shown_words == ["considerable"] * 9
        assert pane[at + 4 : at + 6] == ["", "     indented"]


@scenario
async def test_while_calls_pour_in_only_one_that_stays_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mcpwall.tui.app._REPAINT_S", 3600)  # no frames but those of the test
    fake = engine()
    async with showing(fake) as shown:
        await frame(shown)
        await frame(shown)
        fake.sent.clear()
        calls = [row(n, "git.log", {"n": n}) for n in range(1300, 1305)]
        fake.now = replace(fake.now, rows=(*fake.now.rows, *calls))
        fake.replies[port_calls.Details] = details(fake.now, ANSWER)
        for call in calls:
            await fake.push(port.RowEvent(call))
            await frame(shown)
            assert f"CALL {call.id} " in shown.text()
        assert asked(fake) == [1300]
        assert "ANSWER THE AGENT GOT" not in shown.text()
        await frame(shown)
        assert asked(fake) == [1300, 1304, 1303]  # and the one before that is like it
        await shown.settle()
        assert "ANSWER THE AGENT GOT" in shown.text()


@scenario
async def test_while_calls_pour_in_all_arguments_are_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mcpwall.tui.app._REPAINT_S", 3600)
    fake, copied = engine(), list[str]()
    calls = [row(n, "git.log", {"message": "x" * 1000, "n": n}) for n in (1300, 1301)]
    known = port_calls.CallDetails(calls[1], {"message": "x" * 1000, "n": 1301}, "", "", 0, 0)
    async with showing(fake) as shown:
        monkeypatch.setattr(shown.app, "copy_to_clipboard", copied.append)
        for call in calls:
            await fake.push(port.RowEvent(replace(call, preview=call.preview[:600])))
            await frame(shown)
        fake.replies[port_calls.Details] = known
        await shown.pilot.press("y")
        await shown.pilot.pause()
    assert [json.loads(text) for text in copied] == [known.arguments]


@scenario
async def test_while_calls_pour_in_one_that_a_person_selects_is_asked_for_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mcpwall.tui.app._REPAINT_S", 3600)
    fake = engine()
    async with showing(fake) as shown:
        for n in range(1300, 1303):
            await fake.push(port.RowEvent(row(n, "git.log", {"n": n})))
            await frame(shown)
        fake.sent.clear()
        await shown.press("g")
        assert asked(fake)[0] == busy().rows[0].id


@scenario
async def test_a_filter_keeps_the_calls_that_match() -> None:
    async with showing(engine()) as shown:
        await shown.press("/", *"tool:query", "enter")
        assert "3 of 16 calls match" in shown.text()
        assert "read_file path=.env" not in shown.text()
        assert " / tool:query" in shown.text()
        await shown.press("/", "escape")
        assert "16 calls" in shown.text()
        assert " of 16" not in shown.text()


@scenario
async def test_a_filter_that_cannot_be_read_leaves_the_calls_and_says_why() -> None:
    async with showing(engine()) as shown:
        await shown.press("/", *"colour:red", "enter")
        assert [n for n in shown.app._notifications if "colour" in n.message]
        assert "postgres.query" in shown.text()
        assert "calls match" not in shown.text()


@scenario
async def test_letters_typed_into_the_filter_are_no_keys() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("/", "L", "q", "Q", "p", "1")
        assert shown.app.is_running
        assert "[1 Calls]" in shown.text()
        assert not [c for c in fake.sent if not isinstance(c, port_calls.Details)]


@scenario
async def test_what_needs_a_call_says_so_when_there_is_none() -> None:
    async with showing(engine(empty())) as shown:
        await shown.press("enter")
        assert [n.message for n in shown.app._notifications] == ["▲ ↵ open: there is no call yet"]


@scenario
async def test_large_arguments_are_left_to_the_full_view() -> None:
    snapshot = busy()
    big = row(1300, "filesystem.write_file", {"content": "x" * 50_000})
    fake = engine(replace(snapshot, rows=(*snapshot.rows, big)))
    async with showing(fake) as shown:
        assert "50,014 bytes" in shown.text()
        assert shown.text().count("x" * 30) < 30


@scenario
async def test_a_hundred_thousand_calls_draw_no_more_than_the_window() -> None:
    snapshot = empty()
    rows = tuple(row(n, "a.b", {"n": n}) for n in range(1, 20_001))
    fake = engine(replace(snapshot, rows=rows))
    async with showing(fake) as shown:
        drawn = 0
        table = shown.app.screen.table
        line = table.line

        def counted(y: int) -> object:
            nonlocal drawn
            drawn += 1
            return line(y)

        table.line = counted
        await fake.push(*(port.RowEvent(row(20_000 + n, "a.b", {"n": n})) for n in range(1, 501)))
        await shown.settle()
        assert 0 < drawn <= 4 * table.size.height
        assert "20,500 calls" in shown.text()


@pytest.mark.parametrize("size", [(60, 16), (100, 28), (160, 50), (240, 70)])
@scenario
async def test_other_sizes_show_the_same(size: tuple[int, int]) -> None:
    async with showing(engine(), size) as shown:
        assert "GUARDING" in shown.text()
        assert "filesystem.w" in shown.text()
        assert "> running" in shown.text()
        assert all(len(line) <= size[0] for line in shown.text().splitlines())


@scenario
async def test_a_terminal_that_is_too_small_is_told_what_is_needed() -> None:
    async with showing(engine(), (39, 12)) as shown:
        said = "mcpwall needs 40x12 cells this is 39x12 ? 3 calls waiting"
        assert shown.text().split() == said.split()


@scenario
async def test_a_terminal_that_is_too_small_counts_what_waits_as_it_changes() -> None:
    fake = engine()
    async with showing(fake, (39, 12)) as shown:
        await fake.push(port.ReleasedEvent(1280, "time is up"))
        await shown.settle()
        assert "? 2 calls waiting" in shown.text()
