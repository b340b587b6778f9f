"""The classes that a tool can be given, as lines: what each would change. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mcpwall.engine.port_tools import Classified
from mcpwall.model import TWO_KEYS, Risk
from mcpwall.text import fit
from mcpwall.tui.review.layout import prose, safe
from mcpwall.tui.rules.effect import diff_lines, trouble
from mcpwall.tui.servers.table import RULE_STYLES, meets
from mcpwall.tui.words import RISKS

if TYPE_CHECKING:
    from mcpwall.engine.port_tools import ToolRow
    from mcpwall.tui.widgets.lines import Line

_MEANS = {
    Risk.READ: "it only reads",
    Risk.WRITE: "it changes things",
    Risk.EXECUTE: "it runs what it is given",
    Risk.DESTRUCTIVE: "it destroys what does not come back",
    Risk.FINANCIAL: "it moves money",
    None: "what the wall finds",
}
CLASSES = tuple(_MEANS)  # None: no class of the person's
_MEANS_CELLS = 37
_WORD_CELLS = 9
_SLIM = 70  # cells below which the words for a class are left out


class Option(NamedTuple):
    """A class, and the engine's word on it: a text says why it cannot be set, None: not asked."""

    risk: Risk | None
    told: Classified | str | None = None
    set_now: bool = False  # this is how it is set now


def heading(room: int) -> Line:
    """The names of the columns."""
    says = f"{'WHICH SAYS':{_MEANS_CELLS}}" if room >= _SLIM else ""
    return [(f"   {'CLASS':{_WORD_CELLS}}{says}A CALL MEETS", "dim")]


def option_line(option: Option, room: int) -> Line:
    """A class, what it says of the tool, and what a call would meet."""
    word, style = RISKS[option.risk] if option.risk else ("", "dim")
    says = f"{_MEANS[option.risk]:{_MEANS_CELLS}}" if room >= _SLIM else ""
    if isinstance(option.told, Classified):
        after = option.told.after
        if option.risk is None:
            word, style = RISKS[after.risk]
            says = says or "found: "
        rule, rule_style = safe(meets(after)), RULE_STYLES.get(after.action.value, "")
    else:
        rule, rule_style = ("cannot be set", "bad") if option.told else ("…", "dim")
    free = max(0, room - 3 - _WORD_CELLS - len(says) - 1)
    mark = "●" if option.set_now else " "
    return [
        (f" {mark} ", "accent"),
        (f"{word:{_WORD_CELLS}}", style),
        (says, ""),
        (fit(rule, free) if free else "", rule_style),
    ]


def effect(option: Option, room: int) -> list[Line]:
    """All that the class would change, nothing cut."""
    told = option.told
    if told is None:
        return []
    if isinstance(told, str):
        return trouble(told, room)
    lines: list[Line] = []
    if told.let_go:
        calls = "1 call that waits" if told.let_go == 1 else f"{told.let_go} calls that wait"
        alarm = f"{calls} for you would pass at once, unanswered"
        lines += [[(f" ▲ {row}", "alarm")] for row in prose(alarm, room - 4)]
    lines += _pair("class", _class(told.before), _class(told.after), room)
    lines += _pair("a call", told.before.applies, told.after.applies, room)
    lines += _pair("keys", _keys(told.before), _keys(told.after), room)
    lines += _pair("listed", _hidden(told.before), _hidden(told.after), room)
    if not told.diff:
        return [*lines, [], [(" config.toml says so already", "dim")]]
    return [*lines, [], [(" WHAT WOULD CHANGE IN config.toml", "title")],
            *diff_lines(told.diff, room)]  # fmt: skip


def _pair(name: str, before: str, after: str, room: int) -> list[Line]:
    """What is said of one thing now and then; once, where it is the same."""
    label, rest = f" {name:8}", room - 12
    if before == after:
        return [[(label if at == 0 else " " * 9, "dim"), (row, "")]
                for at, row in enumerate(prose(safe(after), rest))]  # fmt: skip
    lines: list[Line] = []
    for sign, text, style in (("- ", before, "dim"), ("+ ", after, "strong")):
        for at, row in enumerate(prose(safe(text), rest)):
            first = label if not lines else " " * 9
            lines.append([(first, "dim"), (sign if at == 0 else "  ", style), (row, style)])
    return lines


def _class(tool: ToolRow) -> str:
    return f"{tool.risk}: {tool.why}" if tool.why else tool.risk.value


def _keys(tool: ToolRow) -> str:
    return "two to allow it in Review" if tool.risk in TWO_KEYS else "one to allow it in Review"


def _hidden(tool: ToolRow) -> str:
    return "hidden from agents" if tool.hidden else "shown to agents"
