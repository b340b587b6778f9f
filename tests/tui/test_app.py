from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_calls, port_rules
from mcpwall.tui import attached
from mcpwall.tui.app import WallApp
from mcpwall.tui.keys import KeysError
from mcpwall.tui.widgets.frame import HeaderLine
from mcpwall.tui.widgets.lines import LineWidget
from mcpwall.tui.widgets.waiting import WaitingStrip
from tests.tui.fake_port import FakePort
from tests.tui.scenes import STATUS, busy, empty, row
from tests.tui.screens import NARROW, WIDE, Shown, golden, scenario, showing

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.strip import Strip

LOCKED = replace(busy(), status=replace(STATUS, lockdown=True))


def said(shown: Shown) -> list[str]:
    return [notification.message for notification in shown.app._notifications]


def sent(fake: FakePort) -> list[port.Command]:
    return [command for command in fake.sent if not isinstance(command, port_calls.Details)]


@scenario
async def test_the_header_says_that_the_wall_stands_and_counts() -> None:
    async with showing(FakePort(busy())) as shown:
        header, tabs = shown.text().splitlines()[:2]
        assert "● GUARDING" in header
        assert "2 agents · 3 servers" in header
        assert "1,284 calls" in header
        assert "✓ 1,240  ✗ 17  ~ 4  ! 20" in header
        assert "14:02:37" in header
        assert "[1 Calls]" in tabs
        assert "2 Pending 3" in tabs
        assert f"engine {STATUS.pid} · up 2h14m" in tabs


class SlowPort(FakePort):
    """Answers once it may."""

    def __init__(self, snapshot: port.Snapshot) -> None:
        super().__init__(snapshot)
        self.may_answer = asyncio.Event()

    async def snapshot(self) -> port.Snapshot:
        await self.may_answer.wait()
        return await super().snapshot()


@pytest.mark.parametrize(("first_s", "first"), [(60, "● GUARDING"), (0, "○ connecting")])
@scenario
async def test_the_first_frame_waits_a_moment_for_the_engine(
    monkeypatch: pytest.MonkeyPatch, first_s: float, first: str
) -> None:
    drawn: list[str] = []
    waiting: list[str] = []
    empty: list[bool] = []

    def noted(widget: type[LineWidget], texts: list[str]) -> None:
        render = widget.render_lines

        def note(line: LineWidget, crop: Region) -> list[Strip]:
            strips = render(line, crop)
            if not line.app._batch_count:  # else they go nowhere
                texts.extend(strip.text for strip in strips)
                empty.append(line.screen.has_class("-empty"))
            if drawn and waiting:  # the first frame did not wait
                engine.may_answer.set()
            return strips

        monkeypatch.setattr(widget, "render_lines", note)

    noted(HeaderLine, drawn)
    noted(WaitingStrip, waiting)
    monkeypatch.setattr(attached, "_FIRST_S", first_s)
    engine = SlowPort(busy())
    if first_s:  # a moment later, in which nothing may be drawn
        asyncio.get_running_loop().call_later(0.1, engine.may_answer.set)
    async with showing(engine):
        assert first in drawn[0]
        assert "● GUARDING" in drawn[-1]
        assert not any(empty)  # nobody ever said that there is nothing
        assert ("not known yet" in waiting[0]) == (first_s == 0)


@scenario
async def test_trouble_with_the_rules_is_in_sight_on_every_screen() -> None:
    fake = FakePort(busy())
    async with showing(fake) as shown:
        await fake.push(port.StatusEvent(replace(STATUS, store_fault="no answer")))
        await shown.settle()
        assert "▲ the shared store is away: calls are denied" in shown.text()
        await fake.push(port.StatusEvent(replace(STATUS, config_error="config.toml:3: bad")))
        await shown.settle()
        assert "▲ config.toml does not load: last good rules hold" in shown.text()
        edit = port_rules.OutsideEdit("h", "-deny\n+allow", ("a deny is gone",))
        await fake.push(port.StatusEvent(replace(STATUS, outside_edit=edit)))
        await shown.settle()
        assert "▲ an edit from outside waits: see Rules" in shown.text()
        taken = port.Http(error="cannot listen on 127.0.0.1:6279: Address already in use")
        await fake.push(port.StatusEvent(replace(STATUS, http=taken)))
        await shown.settle()
        assert "▲ no agent can come by URL: see `mcpwall status`" in shown.text()


@scenario
async def test_trouble_is_told_in_few_words_beside_the_tabs_of_a_narrow_screen() -> None:
    fake = FakePort(busy())
    async with showing(fake, NARROW) as shown:
        for change, word in (
            ({"store_fault": "no answer"}, "▲ store"),
            ({"config_error": "config.toml:3: bad"}, "▲ config"),
            ({"outside_edit": port_rules.OutsideEdit("h", "", ("less",))}, "▲ edit"),
            ({"http": port.Http(error="in use")}, "▲ URLs"),
        ):
            await fake.push(port.StatusEvent(replace(STATUS, **change)))
            await shown.settle()
            tabs = shown.text().splitlines()[1]
            assert f" {word}" in tabs, tabs
            assert "6 Audit " in tabs, tabs


@scenario
async def test_without_an_engine_the_app_says_so_and_comes_back_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    again = asyncio.Event()

    async def wait(_: float) -> None:
        await again.wait()

    monkeypatch.setattr("mcpwall.tui.attached.pause", wait)
    fake = FakePort(busy())
    async with showing(fake) as shown:
        await fake.break_off("the engine has closed the connection")
        await shown.settle()
        assert "○ NO ENGINE" in shown.text()
        assert "the engine has closed the connection" in shown.text()
        await shown.press("L")
        assert said(shown) == ["▲ L lockdown: the engine has closed the connection"]
        assert sent(fake) == []
        fake.mend()
        again.set()
        await fake.following.wait()
        await shown.settle()
        assert "● GUARDING" in shown.text()


@scenario
async def test_before_there_is_an_engine_the_reason_is_on_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def forever(_: float) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("mcpwall.tui.attached.pause", forever)
    fake = FakePort(empty())
    fake.following.set()  # nothing to wait for
    await fake.break_off("an engine of version 9.9 runs; end it with `mcpwall stop`")
    fake.following.set()
    async with showing(fake, NARROW) as shown:
        await shown.settle()
        assert "an engine of version 9.9 runs; end it with `mcpwall stop`" in shown.text()
        assert "attaches again by itself" in shown.text()


@scenario
async def test_a_gap_in_the_feed_is_healed_by_a_new_snapshot() -> None:
    fake = FakePort(busy())
    async with showing(fake) as shown:
        fake.now = replace(fake.now, rows=(row(5000, "fresh.call", {}),))
        await fake.push(gap=True)
        await shown.settle()
        assert "fresh.call" in shown.text()
        assert "postgres.query" not in shown.text()


@scenario
async def test_the_calls_that_a_snapshot_leaves_out_come_after_the_first_frame() -> None:
    known = busy().rows
    fake = FakePort(replace(busy(), rows=known[-2:], left=len(known) - 2))
    pieces = iter(
        [port_calls.Rows(known[-5:-2], len(known) - 5), port_calls.Rows(known[:-5], 0)],
    )
    asked: list[int] = []

    def older(command: port.Command) -> port_calls.Rows:
        assert isinstance(command, port_calls.Older)
        asked.append(command.before)
        return next(pieces)

    fake.replies[port_calls.Older] = older
    async with showing(fake) as shown:
        await shown.settle()
        assert asked == [known[-2].id, known[-5].id]
        assert list(shown.app.mirror.rows.values()) == list(known)
        whole = shown.text()
    async with showing(FakePort(busy())) as shown:
        await shown.settle()
        assert shown.text() == whole


@scenario
async def test_lockdown_is_on_at_once() -> None:
    fake = FakePort(busy())
    async with showing(fake) as shown:
        await shown.press("L")
        assert sent(fake) == [port.Lockdown(on=True)]
        await fake.push(port.StatusEvent(LOCKED.status))
        await shown.settle()
        assert "■ LOCKDOWN: no tool call passes" in shown.text()


@pytest.mark.parametrize(
    ("key", "commands"), [("y", [port.Lockdown(on=False)]), ("n", []), ("escape", [])]
)
@scenario
async def test_lockdown_is_off_only_after_a_confirm(key: str, commands: list[port.Command]) -> None:
    fake = FakePort(LOCKED)
    async with showing(fake) as shown:
        await shown.press("L")
        assert "Let calls through again?" in shown.text()
        await shown.press("enter", "space")
        assert sent(fake) == []
        await shown.press(key)
        assert sent(fake) == commands


@scenario
async def test_detaching_sends_nothing() -> None:
    fake = FakePort(busy())
    async with showing(fake) as shown:
        await shown.press("q")
        assert not shown.app.is_running
    assert sent(fake) == []


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_stopping_the_wall_asks_first(name: str, size: tuple[int, int]) -> None:
    fake = FakePort(busy())
    async with showing(fake, size) as shown:
        await shown.press("Q")
        golden(f"stop-{name}", shown.text())
        await shown.press("enter")
        assert sent(fake) == []
        await shown.press("y")
        assert sent(fake) == [port.Stop()]
        assert not shown.app.is_running


@scenario
async def test_what_the_engine_refuses_is_said() -> None:
    fake = FakePort(busy())
    fake.replies[port.Lockdown] = port.Refused("the audit cannot be written: disk full")
    async with showing(fake) as shown:
        await shown.press("L")
        assert said(shown) == ["✗ the audit cannot be written: disk full"]


@scenario
async def test_notices_of_the_engine_are_shown() -> None:
    fake = FakePort(busy())
    async with showing(fake) as shown:
        await fake.push(port.NoticeEvent("warning", "rules reloaded from config.toml"))
        await shown.settle()
        await shown.settle()
        assert said(shown) == ["▲ rules reloaded from config.toml"]
        assert "▲ rules reloaded from config.toml" in shown.text()


@scenario
async def test_many_notices_at_once_do_not_bury_the_screen() -> None:
    fake = FakePort(busy())
    async with showing(fake) as shown:
        await fake.push(*(port.NoticeEvent("error", f"trouble {n}") for n in range(100)))
        await shown.settle()
        assert said(shown) == [
            "✗ trouble 98",
            "✗ trouble 99",
            "and 98 notices before; see the engine's log",
        ]


@scenario
async def test_ctrl_c_says_how_to_leave() -> None:
    async with showing(FakePort(busy())) as shown:
        await shown.press("ctrl+c")
        assert shown.app.is_running
        assert said(shown) == ["q leaves the app, the wall stands; Q stops the wall"]


@scenario
async def test_the_help_begins_with_the_screen_in_front() -> None:
    async with showing(FakePort(busy())) as shown:
        await shown.press("?")
        assert shown.text().splitlines()[0] == "CALLS"
        await shown.press(*["pagedown"] * 9)
        assert "SIGNS" in shown.text()
        await shown.press("escape")
        assert "[1 Calls]" in shown.text()


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_the_help_screen(name: str, size: tuple[int, int]) -> None:
    async with showing(FakePort(busy()), size) as shown:
        await shown.press("?")
        golden(f"help-{name}", shown.text())


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_the_palette(name: str, size: tuple[int, int]) -> None:
    async with showing(FakePort(busy()), size) as shown:
        await shown.press(":", *"lock")
        while "refuse tool calls" not in shown.text():
            await shown.pilot.pause()
        golden(f"palette-{name}", shown.text())


@scenario
async def test_the_palette_runs_an_action_by_name() -> None:
    fake = FakePort(busy())
    async with showing(fake) as shown:
        await shown.press(":", *"refuse")
        while "refuse tool calls" not in shown.text():
            await shown.pilot.pause()
        await shown.press("enter")
        while not sent(fake):
            await shown.pilot.pause()
        assert sent(fake) == [port.Lockdown(on=True)]


@scenario
async def test_both_themes_say_the_same() -> None:
    async with showing(FakePort(busy())) as shown:
        dark = shown.text()
        await shown.press("ctrl+t")
        assert shown.app.theme == "mcpwall-light"
        assert shown.text() == dark


@scenario
async def test_without_colour_the_screen_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async with showing(FakePort(busy())) as shown:
        coloured = shown.text()
    monkeypatch.setenv("NO_COLOR", "1")
    async with showing(FakePort(busy())) as shown:
        assert shown.app.no_color
        assert shown.text() == coloured


def test_a_key_table_that_cannot_work_is_refused_before_anything_runs() -> None:
    async def build() -> None:
        WallApp(FakePort(busy()), moved={"calls.rule": "f"})

    with pytest.raises(KeysError, match=r"calls\.follow already"):
        asyncio.run(build())


@scenario
async def test_a_moved_key_is_shown_where_it_works() -> None:
    async with showing(FakePort(busy()), moved={"app.review": "Z"}) as shown:
        assert " Z review · oldest is denied" in shown.text()
        assert " Z review  / filter" in shown.text().splitlines()[-1]


@scenario
async def test_a_second_that_passes_while_the_app_closes_is_no_error() -> None:
    async with showing(FakePort(busy())) as shown:
        with pytest.MonkeyPatch.context() as closing:
            closing.setattr(WallApp, "screen_stack", [])
            shown.app._tick()
            shown.app.mirror.take(busy(), 0)
            shown.app.repaint()
        assert shown.app.is_running


@pytest.mark.parametrize("size", [WIDE, NARROW, (40, 12)], ids=str)
@scenario
async def test_an_engine_that_is_stopped_is_not_said_to_guard(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    fake, answered = FakePort(busy()), asyncio.Event()
    send = fake.send

    async def stopped(command: port.Command) -> port.Reply:
        await answered.wait()
        return await send(command)

    monkeypatch.setattr(attached, "_PULSE_S", 0.01)
    monkeypatch.setattr(attached, "_SLOW_S", 0.01)
    monkeypatch.setattr(fake, "send", stopped)
    async with showing(fake, size) as shown:
        while "NO ANSWER" not in shown.text():
            await shown.settle()
        assert "GUARDING" not in shown.text()
        await shown.press("L")
        assert said(shown) == [
            "▲ L lockdown: the engine does not answer: it is stopped, or very busy"
        ]
        await shown.press("p")
        assert "○ NO ANSWER: nothing can be decided" in shown.text()
        answered.set()
        while "NO ANSWER" in shown.text():
            await shown.settle()
        assert not any(isinstance(command, port.Lockdown) for command in fake.sent)


@scenario
async def test_a_second_that_passes_while_the_app_closes_is_not_drawn() -> None:
    async with showing(FakePort(busy())) as shown:
        await shown.press("p", "e")
        shown.app._begin_batch()  # so Textual closes: nothing is drawn, screens are taken apart
        shown.app._running = False
        for screen in shown.app.screen_stack:
            await screen.remove_children()
        shown.app._tick()
