"""Editing a waiting call's arguments, then deciding: nothing runs but what was shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from textual.events import Paste

from mcpwall.engine import port, port_answers
from mcpwall.model import Risk
from mcpwall.tui.guard import ARM_S
from mcpwall.tui.screens.edit import EditScreen
from mcpwall.tui.screens.review import ReviewScreen
from mcpwall.tui.widgets.json_area import JsonArea
from tests.tui.fake_port import FakePort
from tests.tui.hands import Hands, reviewing
from tests.tui.hostile import CONTROL
from tests.tui.scenes import busy, held, row
from tests.tui.screens import NARROW, WIDE, golden, scenario
from tests.tui.test_review import ISSUE, RUN, SETTLED, answer, waiting, with_held

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

EDITED = {"repo": "acme/api", "title": "Fix the login"}
DIGEST = "e" * 64


def engine(arguments: dict[str, object] = EDITED) -> FakePort:
    fake = FakePort(busy())
    fake.replies[port_answers.CheckEdit] = port_answers.EditChecked(
        arguments, DIGEST, 44, ("a new flag",)
    )
    return fake


def editing(call: int = ISSUE, size: tuple[int, int] = WIDE) -> AbstractAsyncContextManager[Hands]:
    return reviewing(engine(), call, size)


def area(hands: Hands) -> JsonArea:
    return cast("EditScreen", hands.shown.app.screen).query_one(JsonArea)


async def edit(hands: Hands, text: str = '{"repo": "acme/api", "title": "Fix the login"}') -> None:
    """Write other arguments and have them checked."""
    await hands.read("e")
    area(hands).text = text
    await hands.shown.press("ctrl+s")
    await hands.shown.settle()


@scenario
async def test_p08_an_edit_is_shown_and_armed_before_it_is_decided() -> None:
    async with editing() as hands:
        await hands.wait(ARM_S)
        await edit(hands)
        call = waiting(ISSUE)
        checks = [c for c in hands.engine.sent if isinstance(c, port_answers.CheckEdit)]
        assert checks == [port_answers.CheckEdit(ISSUE, call.digest, call.revision, EDITED)]
        assert "EDITED BY YOU" in hands.shown.text()
        assert '- "Fix login"' in hands.shown.text()
        assert "sha256 eeeeeeee" in hands.shown.text()
        assert "a new flag" in hands.shown.text()
        await hands.wait(ARM_S / 2)
        await hands.read("a")
        assert "armed in" in hands.line("ignored")
        await hands.wait(2.0)
        assert hands.decided == []
        await answer(hands, "a")
        decision = port_answers.Decide(ISSUE, call.digest, call.revision, True, edited=DIGEST)
        assert hands.decided == [decision]


@scenario
async def test_an_edited_call_that_executes_takes_two_keys() -> None:
    async with editing(RUN) as hands:
        await hands.wait(ARM_S)
        await edit(hands, "{}")
        await hands.wait(2.0)
        await answer(hands, "a")
        assert hands.decided == []
        await hands.wait(0.5)
        await answer(hands, "!")
        assert [(d.call, d.edited) for d in hands.decided] == [(RUN, DIGEST)]


@scenario
async def test_allow_is_off_until_the_end_of_the_edited_arguments_was_seen() -> None:
    long = {"body": "\n".join(f"line {n}" for n in range(200))}
    fake = engine(long)
    async with reviewing(fake, ISSUE) as hands:
        await hands.wait(ARM_S)
        await edit(hands)
        await hands.wait(2.0)
        await answer(hands, "a")
        assert "scroll to the end" in hands.line("ignored")
        await hands.read("G")
        await hands.wait(2.0)
        await answer(hands, "a")
        assert [d.edited for d in hands.decided] == [DIGEST]


@scenario
async def test_a_denial_of_an_edited_call_denies_the_call() -> None:
    async with editing() as hands:
        await hands.wait(ARM_S)
        await edit(hands)
        await hands.wait(2.0)
        await answer(hands, "d")
        assert [(d.allow, d.edited) for d in hands.decided] == [(False, "")]


@scenario
async def test_an_edit_is_taken_back_and_the_call_is_as_it_was() -> None:
    async with editing() as hands:
        await hands.wait(ARM_S)
        await edit(hands)
        await hands.read("u")
        assert "EDITED BY YOU" not in hands.shown.text()
        await hands.wait(2.0)
        await answer(hands, "a")
        assert [d.edited for d in hands.decided] == [""]


@scenario
async def test_an_edited_call_is_not_remembered() -> None:
    async with editing() as hands:
        await hands.wait(ARM_S)
        await edit(hands)
        await hands.read("s", "tab", gap=0.5)
        assert "allowed once" in hands.shown.text()
        await hands.wait(2.0)
        await answer(hands, "a")
        assert [d.remember for d in hands.decided] == [None]


@scenario
async def test_arguments_that_would_stall_the_editor_are_not_edited() -> None:
    arguments = {"content": "x" * 70_000}
    call = held(row(1300, "fs.write", arguments, risk=Risk.WRITE), arguments, 50)
    async with reviewing(FakePort(with_held(call))) as hands:
        await hands.read("e")
        assert not isinstance(hands.shown.app.screen, EditScreen)
        (note,) = hands.shown.app._notifications
        size = f"its arguments have {call.row.size:,} bytes"
        assert note.message == f"▲ e edit: {size}; at most 65,536 can be edited here"


@scenario
async def test_what_is_wrong_is_said_and_the_text_stays() -> None:
    async with editing() as hands:
        await edit(hands, '{"repo":\n  notes}')
        assert "the arguments are JSON, and this is none at line 2, column 3" in hands.shown.text()
        assert area(hands).cursor_location == (1, 2)
        assert not [c for c in hands.engine.sent if isinstance(c, port_answers.CheckEdit)]
        hands.engine.replies[port_answers.CheckEdit] = port.Refused(
            "repo: 1 is no string\ntitle: missing"
        )
        area(hands).text = '{"repo": 1}'
        await hands.shown.press("ctrl+s")
        assert "repo: 1 is no string" in hands.shown.text()
        assert "title: missing" in hands.shown.text()
        assert area(hands).text == '{"repo": 1}'


@scenario
async def test_what_was_written_is_there_again_after_escape() -> None:
    async with editing() as hands:
        await hands.read("e")
        area(hands).text = '{"repo": "half'
        await hands.shown.press("escape")
        assert isinstance(hands.shown.app.screen, ReviewScreen)
        assert "EDITED BY YOU" not in hands.shown.text()
        await hands.read("e")
        assert area(hands).text == '{"repo": "half'
        await hands.shown.press("ctrl+r")
        assert '"title": "Fix login"' in area(hands).text


@scenario
async def test_typing_in_the_editor_decides_nothing() -> None:
    async with editing() as hands:
        await hands.wait(ARM_S)
        await hands.read("e")
        await hands.wait(2.0)
        for key in ("a", "!", "d", "enter"):
            await hands.read(key)
            await hands.wait(SETTLED)
        assert hands.decided == []


@scenario
async def test_a_call_that_is_over_says_so_in_the_editor() -> None:
    async with editing() as hands:
        await hands.read("e")
        await hands.engine.push(port.ReleasedEvent(ISSUE, "time is up"))
        await hands.shown.settle()
        hands.shown.app._tick()
        await hands.shown.settle()
        assert "this call is over: time is up" in hands.shown.text()


@scenario
async def test_p08_an_edit_is_void_when_the_call_changed_under_it() -> None:
    async with editing() as hands:
        await hands.wait(ARM_S)
        await edit(hands)
        await hands.wait(2.0)
        call = waiting(ISSUE)
        changed = type(call)(**{f: getattr(call, f) for f in call.__struct_fields__} | {
            "revision": call.revision + 1})  # fmt: skip
        await hands.engine.push(port.HeldEvent(changed))
        await hands.shown.settle()
        assert "EDITED BY YOU" not in hands.shown.text()
        assert "read it again" in hands.shown.text()


@scenario
async def test_p10_a_paste_into_the_editor_is_made_visible() -> None:
    async with editing() as hands:
        await hands.read("e")
        hands.shown.app.post_message(Paste(CONTROL))
        await hands.shown.settle()
        text = area(hands).text
        assert "\\u001b]52" in text
        assert all(char == "\n" or char.isprintable() for char in text)


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_the_editor_and_the_edited_call(name: str, size: tuple[int, int]) -> None:
    async with editing(size=size) as hands:
        await hands.wait(ARM_S)
        await hands.read("e")
        golden(f"edit-{name}", hands.shown.text())
        await hands.shown.press("escape")
        await edit(hands)
        await hands.wait(2.0)
        golden(f"review-edited-{name}", hands.shown.text())
