"""A rules file that does not load: its mistakes beside the rules, and the way to them."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_calls
from mcpwall.engine.port_rules import Mistake
from mcpwall.tui.rules.mistakes import broken, placed
from mcpwall.tui.settings import Settings
from tests.tui.fake_port import FakePort
from tests.tui.scenes import STATUS, busy
from tests.tui.screens import NARROW, WIDE, Shown, golden, scenario, showing

KEY = Mistake("config.toml", STATUS.config, 42, 'unknown key "tol"', 'did you mean "tool"?', "r12")
ELSEWHERE = Mistake("config.toml", STATUS.config, 3, 'read: "alow" is no action', "write allow")
PROJECT = "/home/dev/acme/.mcpwall.toml"
OTHERS = Mistake(
    PROJECT, PROJECT, 2, 'action: "dney" is none', 'did you mean "deny"?', project=True
)
FIRST = f"config.toml:3: {ELSEWHERE.what}"


def engine(*mistakes: Mistake, error: str = FIRST) -> FakePort:
    status = replace(STATUS, config_error=error, mistakes=mistakes)
    return FakePort(replace(busy(), status=status))


def line(shown: Shown, word: str) -> int:
    found = [at for at, text in enumerate(shown.text().splitlines()) if word in text]
    assert found, word
    return found[-1]


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_mistakes_as_they_look(name: str, size: tuple[int, int]) -> None:
    async with showing(engine(ELSEWHERE, KEY, OTHERS), size) as shown:
        await shown.press("3", "g", "down", "down", "down")
        golden(f"rules-mistakes-{name}", shown.text())


@scenario
async def test_a_mistake_stands_after_the_rule_that_it_concerns_which_is_marked() -> None:
    async with showing(engine(ELSEWHERE, KEY)) as shown:
        await shown.press("3", "g")
        rows = shown.text().splitlines()
        at = line(shown, "▲ config.toml:42")
        assert rows[at - 1].split()[:2] in (["r12", "▲"], ["▌", "r12"])
        assert "▲" in rows[at - 1]
        assert line(shown, "▲ config.toml:3 ") < at - 1
        assert "●" in rows[line(shown, " r07 ")]


@scenario
async def test_a_selected_mistake_says_all_and_opens_the_editor_at_its_line() -> None:
    opened: list[tuple[str, int]] = []

    def edit(path: str, at: int) -> str:
        opened.append((path, at))
        return ""

    async with showing(engine(ELSEWHERE, KEY, OTHERS), settings=Settings(edit=edit)) as shown:
        shown.app.suspend = nullcontext  # type: ignore[method-assign,assignment]
        await shown.press("3", "g")
        assert "write     write allow" in shown.text()
        await shown.press("o", "down", "o", "down", "o", "down", "o", "down", "o")
    assert opened == [
        (STATUS.config, 3), (PROJECT, 2), (STATUS.config, 41), (STATUS.config, 42),
        (STATUS.config, 24),
    ]  # fmt: skip


@scenario
async def test_what_changes_a_rule_says_why_it_cannot_change_a_mistake() -> None:
    fake = engine(ELSEWHERE)
    async with showing(fake) as shown:
        await shown.press("3", "g", "space")
        said = [note.message for note in shown.app._notifications]
        assert said == ["▲ space toggle: this is a mistake in a file; o opens it there"]
        assert not [command for command in fake.sent if not isinstance(command, port_calls.Details)]


@scenario
async def test_mistakes_go_when_the_file_loads_again() -> None:
    fake = engine(ELSEWHERE, KEY)
    async with showing(fake) as shown:
        await shown.press("3")
        await fake.push(port.StatusEvent(STATUS))
        await shown.settle()
        assert "▲" not in shown.text()


def test_no_mistake_is_left_out() -> None:
    rules = busy().rules
    elsewhere = replace(KEY, file=PROJECT, path=PROJECT)  # a rule of that id is in another file
    listed = placed(rules, (KEY, ELSEWHERE, elsewhere, replace(KEY, line=43)))
    assert [item.line for item in listed if isinstance(item, Mistake)] == [3, 42, 42, 43]
    assert listed.index(KEY) == listed.index(rules[0]) + 1
    assert broken(listed) == {"r12"}
