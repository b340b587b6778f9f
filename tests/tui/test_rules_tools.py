"""Which tools a rule is about, in few words and as a list, in any width."""

from __future__ import annotations

import pytest

from mcpwall.engine.port_tools import Pin, ServerRow, ToolRow, ToolsMatched
from mcpwall.model import Risk
from mcpwall.tui.rules.tools import how_many, listed
from mcpwall.tui.widgets.lines import cells

MANY = ToolsMatched(3_000, {"git": tuple(f"t{n}" for n in range(34))})


def text(told: ToolsMatched, room: int, *, enter: bool = False) -> str:
    return "".join(part for part, _ in how_many(told, room, enter=enter))


@pytest.mark.parametrize(
    ("room", "enter", "said"),
    [
        (44, True, "matches 34 tools on 1 server   ↵ list them"),
        (44, False, "matches 34 tools on 1 server"),
        (34, True, "34 tools on 1 server   ↵ list them"),
        (30, True, "34 tools   ↵ list them"),
        (16, True, "34   ↵ list them"),
        (12, True, "34 tools"),
        (4, False, "34"),
    ],
)
def test_it_is_said_in_the_words_that_fit(room: int, enter: bool, said: str) -> None:
    assert text(MANY, room, enter=enter) == said


def test_that_none_is_known_or_matches_is_said_so() -> None:
    assert text(ToolsMatched(0), 44, enter=True) == "no tool is known yet"
    assert text(ToolsMatched(0), 12) == "none known"
    assert text(ToolsMatched(1), 44, enter=True) == "matches none of 1 tool"
    assert text(ToolsMatched(3_000), 44) == "matches none of 3,000 tools"


def test_the_list_has_every_name_whole_and_the_risk_where_it_is_known() -> None:
    row = ToolRow("push", Pin.PINNED, "h", risk=Risk.WRITE)
    servers = {"git": ServerRow("git", "stdio", "1", 1, (row,), 0)}
    long = "x" * 90
    lines = listed(ToolsMatched(9, {"zed": (long,), "git": ("push", "pull")}), servers, 40)
    assert all(cells(line) <= 40 for line in lines)
    shown = ["".join(part for part, _ in line) for line in lines]
    assert shown[0] == " git: 2 tools"
    assert shown[1].split() == ["pull"]
    assert shown[2].split() == ["WRITE", "push"]
    assert "".join(shown[5:]).replace(" ", "") == long
