"""The class of risk of a tool: shown with what it changes, set by one key, undone by another."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_rules
from mcpwall.engine.port_tools import Classified, Classify, Pin, ServerRow, ToolRow
from mcpwall.model import Action, Risk
from mcpwall.tui.screens.risk import RiskScreen
from mcpwall.tui.screens.servers import ServersScreen
from tests.tui.fake_port import FakePort
from tests.tui.scenes import busy
from tests.tui.screens import NARROW, WIDE, golden, scenario, showing

FOUND = "its name says “push”"
PUSH = ToolRow("push", Pin.PINNED, "h1", "", Risk.WRITE, FOUND, action=Action.ASK,
               applies="ask by the default for write tools")  # fmt: skip
SET = replace(PUSH, risk=Risk.READ, found=Risk.WRITE, action=Action.ALLOW,
              why=f"set by you in config.toml:7; the wall found write: {FOUND}",
              applies="allow by the default for read tools")  # fmt: skip


def with_tool(tool: ToolRow) -> ServerRow:
    return ServerRow("git", "stdio", "1.0", 1, (tool,), 3, "s1")


def classed(command: port.Command) -> port.Reply:
    """What the engine makes of a class for `push`, of which no class is set yet."""
    assert isinstance(command, Classify)
    if command.risk is Risk.FINANCIAL:
        return port.Refused("config.toml has to be edited by hand: there is no table")
    if command.risk is None:
        return Classified(PUSH, PUSH)
    after = replace(
        SET,
        risk=command.risk,
        action=Action.ALLOW if command.risk is Risk.READ else Action.DENY,
        rules=() if command.risk is Risk.READ else ("no-push",),
        applies="allow by the default for read tools" if command.risk is Risk.READ else "denied",
    )
    diff = f' \n+[servers.git.risk]\n+push = "{command.risk}"\n'
    return Classified(PUSH, after, int(command.risk is Risk.READ) * 2, diff, command.apply)


def engine(tool: ToolRow = PUSH) -> FakePort:
    fake = FakePort(replace(busy(), servers=(with_tool(tool),)))
    fake.replies[Classify] = classed
    return fake


def written(fake: FakePort) -> list[port.Command]:
    return [one for one in fake.sent if isinstance(one, Classify) and one.apply]


@pytest.mark.parametrize(
    ("name", "size"), [("120x36", WIDE), ("80x24", NARROW), ("40x12", (40, 12))]
)
@scenario
async def test_each_class_says_what_it_would_change(name: str, size: tuple[int, int]) -> None:
    fake = engine()
    async with showing(fake, size) as shown:
        await shown.press("4", "down", "R")
        assert "▌● WRITE" in shown.text()
        await shown.press(*["up"] * 5)
        golden(f"risk-{name}", shown.text())
        assert written(fake) == []


@scenario
async def test_the_class_is_set_by_one_key_and_undone_by_another() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("4", "down", "R", *["up"] * 5)
        assert "2 calls that wait for you would pass at once" in shown.text()
        await shown.press("enter", "space", "y")
        assert written(fake) == []
        await shown.press("ctrl+s")
        assert written(fake) == [Classify("git", "push", Risk.READ, apply=True)]
        assert isinstance(shown.app.screen, ServersScreen)
        assert "git.push is read now, set by you; u undoes it" in shown.text()
        await fake.push(port.ServerEvent(with_tool(SET)))
        await shown.settle()
        assert "READ*" in shown.text()
        assert "set by you in config.toml:7; the wall found write" in shown.text()
        await shown.press("u", "U")
        assert [one for one in fake.sent if isinstance(one, port_rules.Undo)] == [
            port_rules.Undo(),
            port_rules.Undo(redo=True),
        ]


@scenario
async def test_it_begins_with_the_class_that_is_set_and_can_go_back_to_what_is_found() -> None:
    fake = engine(SET)

    def back(command: port.Command) -> port.Reply:
        assert isinstance(command, Classify)
        return Classified(SET, SET if command.risk else PUSH, applied=command.apply)

    fake.replies[Classify] = back
    async with showing(fake) as shown:
        await shown.press("4", "down", "R")
        assert "▌● READ     it only reads" in shown.text()
        assert "what the wall finds" in shown.text()
        await shown.press("ctrl+s")
        assert written(fake) == []
        assert "it is set so already" in shown.text()
        await shown.press(*["down"] * 5, "ctrl+s")
        assert written(fake) == [Classify("git", "push", None, apply=True)]
        assert "as the wall finds" in shown.text()


@scenario
async def test_what_cannot_be_set_says_why() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("4", "R")
        assert "choose a tool" in shown.text()
        await shown.press("down", "R", "up")
        assert "MONEY    it moves money" in shown.text()
        assert "cannot be set" in shown.text()
        assert "has to be edited by hand" in shown.text()
        await shown.press("ctrl+s")
        assert written(fake) == []


@scenario
async def test_a_refusal_leaves_the_classes_on_screen() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("4", "down", "R", *["up"] * 5)
        fake.replies[Classify] = port.Refused("config.toml was edited outside")
        await shown.press("ctrl+s")
        assert isinstance(shown.app.screen, RiskScreen)
        assert "was edited outside" in shown.text()


@scenario
async def test_a_tool_that_changes_meanwhile_is_asked_about_anew() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("4", "down", "R")
        before = len(fake.sent)
        await fake.push(port.ServerEvent(with_tool(SET)))
        await shown.settle()
        assert len([one for one in fake.sent[before:] if isinstance(one, Classify)]) == 6
        assert " ● READ     it only reads" in shown.text()


@scenario
async def test_without_an_engine_nothing_is_set() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("4", "down")
        await fake.break_off("the engine was stopped")
        await shown.settle()
        await shown.press("R")
        assert isinstance(shown.app.screen, ServersScreen)
        assert "the engine" in shown.text()
