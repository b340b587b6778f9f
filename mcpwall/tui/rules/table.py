"""The rules as lines: in the order of judgement, one a line, and all about the selected one. Pure.

Names and reasons in rules can be foreign (a rule may be made from a call), so they pass `safe`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpwall.model import Action, span
from mcpwall.tui.review.layout import flowing, safe
from mcpwall.tui.rules.values import write_value
from mcpwall.tui.timing import clock, lasted
from mcpwall.tui.widgets.lines import filled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from mcpwall.engine.port_rules import RuleRow
    from mcpwall.model import Condition, Rule
    from mcpwall.tui.widgets.lines import Line, Part

_STYLES = {
    "hide": "bad", "deny": "bad", "limit": "warn", "ask": "waiting", "approve": "ok", "allow": "ok",
}  # fmt: skip
_ORDER = tuple(_STYLES)
_LIMITS_TOO = "~"  # the sign of a limit, behind what else the rule does
_FIXED = 21  # cells of cursor, on/off, deed, hits and the gaps
_SLIM = 66  # cells below which a limit is told of the selected rule alone
_BROAD = 116  # cells from which all columns have room


@dataclass(frozen=True)
class Columns:
    """How wide each column is; 0 leaves it out."""

    id: int
    what: int
    limit: int
    last: int
    source: int


def in_order(rows: Iterable[RuleRow]) -> list[RuleRow]:
    """The rules as they are judged: hide, deny, limits, ask, remembered answers, approve, allow."""

    def place(row: RuleRow) -> tuple[float, str]:
        at: float = _ORDER.index(deed(row.rule))
        return (_ORDER.index("ask") + 0.5 if row.remembered else at, row.rule.id)

    return sorted(rows, key=place)


def deed(rule: Rule) -> str:
    """What a rule does, in a word; what a rule does besides limiting names it."""
    if rule.hide:
        return "hide"
    return rule.action.value if rule.action else "limit"


def columns(room: int) -> Columns:
    """The columns that fit into `room` cells."""
    if room < _SLIM:
        return Columns(id=8, what=max(0, room - 8 - _FIXED), limit=0, last=0, source=0)
    if room < _BROAD:
        return Columns(id=12, what=room - 12 - 22 - _FIXED, limit=22, last=0, source=0)
    what = room - 14 - 24 - 10 - 23 - _FIXED
    return Columns(id=14, what=what, limit=24, last=10, source=23)


def heading(widths: Columns) -> Line:
    """The names of the columns."""
    texts = [("  ID", widths.id + 2), ("ON", 3), ("DO", 8), ("WHICH CALLS", widths.what + 1)]
    texts += [("LIMIT OR LIFE", widths.limit)] if widths.limit else []
    texts += [("  HITS", 7)]
    if widths.last:
        texts += [("  LAST", widths.last), ("  FROM", widths.source)]
    return [("".join(filled(text, room) for text, room in texts), "dim")]


def rule_line(
    row: RuleRow, widths: Columns, now_ms: float, zone: tzinfo | None, *, broken: bool = False
) -> Line:
    """One rule; `broken`: as its file last had it, and as it stands there now it does not load."""
    rule = row.rule
    style = "" if rule.enabled else "dim"
    does = deed(rule)
    if rule.action and (rule.rate_limit or rule.budget):
        does += f" {_LIMITS_TOO}"
    if row.remembered:
        does = "no" if rule.action is Action.DENY else "yes"
    parts: list[Part] = [
        (filled("  " + safe(rule.id), widths.id + 1) + " ", style),
        ("▲  ", "alarm")
        if broken
        else ("●  " if rule.enabled else "○  ", "ok" if rule.enabled else "dim"),
        (filled(does, 8), _STYLES[deed(rule)] if rule.enabled else "dim"),
        (filled(which_calls(rule), widths.what) + " ", style),
        (filled(_bound(row, now_ms), widths.limit) if widths.limit else "", style),
        (f"{row.hits:>6,} ", style),
    ]
    if widths.last:
        last = clock(row.last_ms, zone) if row.last_ms else "never"
        parts += [(filled("  " + last, widths.last), "dim")]
        parts += [(filled("  " + _short(source(row)), widths.source), "dim")]
    return parts


def which_calls(rule: Rule) -> str:
    """What a rule is about, on one line of safe text."""
    tool = ", ".join(rule.tool) or "*"
    words = [f"{', '.join(rule.server)}.{tool}" if rule.server else tool]
    if words == ["*"]:
        told = rule.risk or rule.reach or rule.reads or rule.when or rule.agent
        words = [] if told else ["every call"]
    words += [f"risk {' or '.join(risk.value for risk in rule.risk)}"] if rule.risk else []
    words += [f"reach {' or '.join(rule.reach)}"] if rule.reach else []
    words += [f"reads {' or '.join(rule.reads)}"] if rule.reads else []
    words += [f"agent {', '.join(rule.agent)}"] if rule.agent else []
    words += [f"method {', '.join(rule.method)}"] if rule.method else []
    words += [condition_text(condition) for condition in rule.when]
    words += rule.looks_back()
    return safe("  ".join(words))


def condition_text(condition: Condition) -> str:
    """`path not_under ["~/src"]`; raw text."""
    value = write_value(condition.op, condition.value)
    return f"{condition.argument or 'arguments'} {condition.op} {value}"


def source(row: RuleRow) -> str:
    """Where a rule stands."""
    origin = row.rule.origin
    if row.remembered or origin is None:
        return "you, remembered"
    return f"{safe(origin.file)}:{origin.line}"


def _short(place: str) -> str:
    """The end of a long path, which says which project it is."""
    return "/".join(place.split("/")[-2:])


def about(row: RuleRow, now_ms: float, zone: tzinfo | None, room: int) -> list[Line]:
    """All of one rule, nothing cut."""
    rule = row.rule
    last = f", last {clock(row.last_ms, zone)}" if row.last_ms else ""
    times = "once" if row.hits == 1 else f"{row.hits:,} times"
    parts = [
        ("does", " and ".join(_deeds(rule)) + ("" if rule.enabled else "   (off)")),
        ("calls", which_calls(rule)),
        ("limit", _bound(row, now_ms)),
        ("reason", safe(rule.reason)),
        ("used", f"{times} since the engine started{last}"),
        ("from", source(row)),
    ]
    lines: list[Line] = []
    for name, text in parts:
        for number, part in enumerate(flowing(text, room - 12) if text else ()):
            lines.append([(f"  {name if number == 0 else '':9} ", "accent"), (part, "")])
    return lines


def _deeds(rule: Rule) -> list[str]:
    words = ["hide"] if rule.hide else []
    words += [rule.action.value] if rule.action else []
    words += ["limit"] if rule.rate_limit else []
    return words + (["budget"] if rule.budget else [])


def _bound(row: RuleRow, now_ms: float) -> str:
    """A limit, a budget, or how long a remembered answer lives."""
    rule, words = row.rule, []
    if limit := rule.rate_limit:
        words.append(f"{limit.max} per {span(limit.window_s)}{safe(limit.apart())}")
    if budget := rule.budget:
        what = f"sum of {safe(budget.sum)} {budget.max} per {span(budget.window_s)}"
        words.append(what + safe(budget.apart()))
    if row.expires_ms is not None:
        left_s = (row.expires_ms - now_ms) / 1000
        words.append(f"{lasted(left_s)} left" if left_s > 0 else "run out")
    elif row.remembered:
        words.append("this session" if row.session else "")
    return "  ".join(words)
