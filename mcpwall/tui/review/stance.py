"""What the decision keys would do now, in one line of words. Pure.

A disabled key says why: not painted long enough, the end not seen, the second key awaited.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from mcpwall.tui.guard import ARM_S, Guard, Intent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpwall.tui.widgets.lines import Part

_STEPS = 6


class _Words(NamedTuple):
    """How the stages are called; `{}` stands for the key that allows."""

    first: str
    drawn: str
    armed: str
    unseen: str
    seen: str
    why: str


_LONG = _Words(
    " ▲ {} was the first of two keys. ",
    "keys count only 0.6 s after this was drawn",
    " ▮▮▮▮▮▮ ",
    "{} is off until you saw the end  ",
    "{} counts 0.6 s after the end was drawn  ",
    " deny, say why",
)
_BRIEF = _Words(
    " ▲ ",
    "keys count in a moment",
    " ▮ ",
    "{}: see the end first  ",
    "{} counts in a moment  ",
    " why",
)


def stance(
    guard: Guard,
    keys: Mapping[Intent, str],
    now: float,
    allow: str,
    deny: str,
    *,
    brief: bool = False,
) -> list[Part]:
    """The line for what is on screen. `keys` are the names of the decision keys.

    `allow` and `deny` say in words what they do; with an empty `deny` nothing can be denied.
    `brief` says it in 40 cells.
    """
    sight, words = guard.sight, _BRIEF if brief else _LONG
    if sight is None:
        return []
    if until := guard.second_until(now):
        left = math.ceil(until - now)
        return [(words.first.format(keys[Intent.ALLOW]), "alarm"),
                (f"{keys[Intent.SECOND]} within {left} s: {allow}", "strong")]  # fmt: skip
    armed_at = guard.armed_at(Intent.DENY)
    if armed_at is None or now < armed_at:
        done = 0 if armed_at is None else int((1 - (armed_at - now) / ARM_S) * _STEPS)
        bar = "▮" * done + "▯" * (_STEPS - done)
        return [(f" {bar} {words.drawn}", "dim")]
    parts: list[Part] = [(words.armed, "ok")]
    allow_at = guard.armed_at(Intent.ALLOW)
    if not guard.end_seen:
        parts.append((words.unseen.format(keys[Intent.ALLOW]), "warn"))
    elif allow_at is None or now < allow_at:
        parts.append((words.seen.format(keys[Intent.ALLOW]), "dim"))
    elif sight.two_keys:
        first, second = keys[Intent.ALLOW], keys[Intent.SECOND]
        parts += [(f"{first} then {second}", "accent"), (f" {allow}  ", "")]
    else:
        parts += [(keys[Intent.ALLOW], "accent"), (f" {allow}  ", "")]
    if deny:
        parts += [(keys[Intent.DENY], "accent"), (f" {deny}  ", "")]
    if Intent.DENY_WHY in keys:
        parts += [(keys[Intent.DENY_WHY], "accent"), (words.why, "")]
    return parts
