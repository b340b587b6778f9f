"""What is wrong in a rules file, as lines of the table of rules: beside the rule it concerns. Pure.

What a file says is foreign and passes `safe`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, TypeAlias

from mcpwall.engine.port_rules import Mistake, RuleRow
from mcpwall.text import clip, width
from mcpwall.tui.review.layout import prose, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpwall.tui.widgets.lines import Line

Item: TypeAlias = RuleRow | Mistake
SIGN = "▲"


def placed(rows: Sequence[RuleRow], mistakes: Sequence[Mistake]) -> list[Item]:
    """The rules with each mistake right after the rule in force that it concerns; others first."""
    beside: dict[tuple[str, str], list[Mistake]] = {}
    for mistake in mistakes:
        beside.setdefault((mistake.file, mistake.rule), []).append(mistake)
    items: list[Item] = []
    for row in rows:
        origin = row.rule.origin
        items.append(row)
        if origin and not row.remembered:
            items += beside.pop((origin.file, row.rule.id), ())
    return [*(mistake for others in beside.values() for mistake in others), *items]


def broken(items: Sequence[Item]) -> frozenset[str]:
    """The ids of the rules that have a mistake after them."""
    pairs = itertools.pairwise(items)
    return frozenset(
        one.rule.id
        for one, after in pairs
        if isinstance(one, RuleRow) and isinstance(after, Mistake)
    )


def place(mistake: Mistake) -> str:
    """File and line; safe text."""
    return safe(f"{mistake.file}:{mistake.line}" if mistake.line else mistake.file)


def mistake_line(mistake: Mistake, room: int) -> Line:
    """One mistake, in a line."""
    where = clip("/".join(place(mistake).split("/")[-2:]), max(16, room // 3))
    what = clip(safe(mistake.what), max(0, room - width(where) - 6))
    return [("  ", ""), (f"{SIGN} ", "alarm"), (where, "accent"), (f"  {what}", "alarm")]


def about_mistake(mistake: Mistake, editor_key: str, room: int) -> list[Line]:
    """All of it, nothing cut, and what to do."""
    in_force = "the rules of the file as it last loaded"
    if mistake.project:
        in_force = "nothing: calls of agents there are denied"
    elif mistake.rule:
        in_force = f"{safe(mistake.rule)} as the file last had it, and all its other rules"
    parts = [
        ("wrong", safe(mistake.what), "alarm"),
        ("write", safe(mistake.fix), ""),
        ("where", place(mistake), ""),
        ("in force", in_force, ""),
        ("to do", f"{editor_key} opens the file there; mend it and save, and it is read again", ""),
    ]
    return [
        [(f"  {name if at == 0 else '':9} ", "accent"), (part, style)]
        for name, text, style in parts
        if text
        for at, part in enumerate(prose(text, room - 12))
    ]
