"""What the decision keys would do now, in one line of words. Pure.

A disabled key says why: not painted long enough, the end not seen, the second key awaited.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mcpwall.tui.guard import ARM_S, Guard, Intent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpwall.tui.widgets.lines import Part

_STEPS = 6


def stance(
    guard: Guard, keys: Mapping[Intent, str], now: float, allow: str, deny: str
) -> list[Part]:
    """The line for what is on screen. `keys` are the names of the decision keys.

    `allow` and `deny` say in words what they do; with an empty `deny` nothing can be denied.
    """
    sight = guard.sight
    if sight is None:
        return []
    if until := guard.second_until(now):
        left = math.ceil(until - now)
        return [(f" ▲ {keys[Intent.ALLOW]} was the first of two keys. ", "alarm"),
                (f"{keys[Intent.SECOND]} within {left} s: {allow}", "strong")]  # fmt: skip
    armed_at = guard.armed_at(Intent.DENY)
    if armed_at is None or now < armed_at:
        done = 0 if armed_at is None else int((1 - (armed_at - now) / ARM_S) * _STEPS)
        bar = "▮" * done + "▯" * (_STEPS - done)
        return [(f" {bar} keys count only 0.6 s after this was drawn", "dim")]
    parts: list[Part] = [(" ▮▮▮▮▮▮ ", "ok")]
    allow_at = guard.armed_at(Intent.ALLOW)
    if not guard.end_seen:
        parts.append((f"{keys[Intent.ALLOW]} is off until you saw the end  ", "warn"))
    elif allow_at is None or now < allow_at:
        parts.append((f"{keys[Intent.ALLOW]} counts 0.6 s after the end was drawn  ", "dim"))
    elif sight.two_keys:
        first, second = keys[Intent.ALLOW], keys[Intent.SECOND]
        parts += [(f"{first} then {second}", "accent"), (f" {allow}  ", "")]
    else:
        parts += [(keys[Intent.ALLOW], "accent"), (f" {allow}  ", "")]
    if deny:
        parts += [(keys[Intent.DENY], "accent"), (f" {deny}  ", "")]
    if Intent.DENY_WHY in keys:
        parts += [(keys[Intent.DENY_WHY], "accent"), (" deny, say why", "")]
    return parts
