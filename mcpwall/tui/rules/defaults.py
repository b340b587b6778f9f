"""What happens to calls while there are no rules, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.model import Defaults, Risk
from mcpwall.tui.review.layout import prose
from mcpwall.tui.widgets.lines import cells
from mcpwall.tui.words import RISKS

if TYPE_CHECKING:
    from mcpwall.tui.widgets.lines import Line, Part

_STYLES = {"allow": "ok", "ask": "waiting", "deny": "bad"}
_UNTIL = "an ask that nobody answers becomes"


def without_rules(defaults: Defaults, new: str, made: str, room: int) -> list[Line]:
    """The default of each class of risk, wrapped between classes.

    `new` is the key that writes a rule, `made` the one that makes one of a call.
    """
    lines: list[Line] = [[("  no rules yet: what a tool can do decides", "dim")]]
    line: list[Part] = [(" ", "")]
    for risk in Risk:
        word, style = RISKS[risk]
        action = getattr(defaults, risk).value
        parts: list[Part] = [(f" {word} ", style), (f"{action} ", _STYLES[action])]
        if cells(line) + cells(parts) > room:
            lines.append(line)
            line = [(" ", "")]
        line += parts
    unattended = defaults.unattended.value
    lines += [line, [(f"  {_UNTIL} ", "dim"), (unattended, _STYLES[unattended])]]
    how = f"{new} writes a rule; {made} in Calls makes one of the selected call"
    return [*lines, *([(f"  {text}", "dim")] for text in prose(how, room - 2))]
