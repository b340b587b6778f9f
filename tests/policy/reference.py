"""The judge once more, as plainly as it can be said: no index, no cache, nothing shared.

Speaks a part of the rule language (the strategies of test_p15 write no more) and keeps every
booking for ever, counting anew each time.
"""

from __future__ import annotations

import fnmatch
import math
from typing import Any

from mcpwall.model import Action, Call, Cause, Defaults, RateLimit, Rule

Made = list[tuple[Call, float]]  # what was forwarded, and when
Bookings = list[tuple[tuple[str, ...], float, float]]  # what was counted, when, how much


def holds(op: str, wanted: Any, call: Call, argument: str) -> bool | None:
    """Whether one condition holds; None when that cannot be said."""
    there = argument in call.arguments
    value = call.arguments.get(argument)
    if op == "exists":
        return None if there and value is None else there is wanted
    if op == "gt":
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return value > wanted if number else None
    if op == "contains":
        return wanted in value if isinstance(value, str) else None
    if op == "not_contains":
        return wanted not in value if isinstance(value, str) else None
    return value == wanted if type(value) is type(wanted) else None  # equals


def named(patterns: tuple[str, ...], *names: str) -> bool:
    taken = [p for p in patterns if not p.startswith("!")] or ["*"]
    out = [p[1:] for p in patterns if p.startswith("!")]

    def hit(globs: list[str]) -> bool:
        return any(fnmatch.fnmatchcase(name, glob) for glob in globs for name in names)

    return hit(taken) and not hit(out)


def matches(rule: Rule, call: Call, *, strict: bool) -> bool:
    truths = [holds(one.op, one.value, call, one.argument) for one in rule.when]
    return (
        rule.enabled
        and named(rule.tool, call.tool)
        and named(rule.server, call.server)
        and named(rule.method or ("tools/call",), call.method)
        and named(rule.agent, call.client, call.agent)
        and (not rule.risk or call.risk in rule.risk)
        and (not rule.reach or call.reach in rule.reach)
        and (not rule.reads or any(what in call.reads for what in rule.reads))
        and (call.method == "tools/call" or bool(rule.method))
        and all(truth is not False if strict else truth is True for truth in truths)
    )


def looks_back(rule: Rule, call: Call, made: Made, now_s: float) -> bool:
    """Whether what the same agent did before is what the rule asks for."""
    mine = [(one, at) for one, at in made if one.run == call.run]
    if rule.repeat is not None:
        last = [one.digest for one, _ in mine[-rule.repeat :]]
        if last != [call.digest] * rule.repeat:
            return False
    after = rule.after
    return after is None or any(
        named(after.tool, one.tool)
        and named(after.server, one.server)
        and named(after.method or ("tools/call",), one.method)
        and (not after.reach or one.reach in after.reach)
        and (not after.reads or any(what in one.reads for what in after.reads))
        and (after.within_s is None or at > now_s - after.within_s)
        for one, at in mine
    )


def judge(
    call: Call, rules: list[Rule], defaults: Defaults, past: tuple[Bookings, Made], now_s: float
) -> tuple[Action, Cause, set[str], Bookings]:
    """Action, cause, the ids of the rules behind it, and what to book if it is forwarded."""
    booked, made = past

    def concerns(rule: Rule, *, strict: bool = True) -> bool:
        return matches(rule, call, strict=strict) and looks_back(rule, call, made, now_s)

    def of(action: Action, *, strict: bool = True) -> set[str]:
        return {r.id for r in rules if r.action is action and concerns(r, strict=strict)}

    def count(rule: Rule, limit: RateLimit) -> int | None:
        """Books a call for a limit; seconds until there is room, None when there is."""
        what = call.tool if call.method == "tools/call" else ""
        apart = {"tool": [call.server, call.method, what], "session": [call.session]}[limit.per]
        key = (rule.id, *apart)
        costs.append((key, now_s, 1))
        times = sorted(at for k, at, _ in booked if k == key and at > now_s - limit.window_s)
        if len(times) < limit.max:
            return None
        return math.ceil(times[-limit.max] + limit.window_s - now_s)

    if hidden := {r.id for r in rules if r.hide and matches(r, call, strict=True)}:
        return Action.DENY, Cause.HIDDEN, hidden, []
    if denied := of(Action.DENY):
        return Action.DENY, Cause.RULE, denied, []
    full: set[str] = set()
    little: set[str] = set()
    costs: Bookings = []
    for rule in {r.id: r for r in rules if concerns(r)}.values():
        if rule.rate_limit and count(rule, rule.rate_limit) is not None:
            full.add(rule.id)
        if rule.more_than and count(rule, rule.more_than) is None:
            little.add(rule.id)
    if full:
        return Action.DENY, Cause.LIMIT, full, []
    allowed = of(Action.ALLOW, strict=False)
    other = call.method != "tools/call"
    action = defaults.other_methods if other else getattr(defaults, call.risk.value)
    asked = of(Action.ASK) - little
    if action is Action.DENY and not allowed and not of(Action.ASK, strict=False) - little:
        asked = set()  # a default of deny gives way only to a rule that surely asks
    if asked:
        back = {r.id for r in rules if r.after or r.repeat or r.more_than}
        approved = of(Action.APPROVE, strict=False)
        if approved and not asked & back:
            return Action.ALLOW, Cause.ANSWER, asked | approved, costs
        return Action.ASK, Cause.RULE, asked, costs
    if allowed:
        return Action.ALLOW, Cause.RULE, allowed, costs
    if action is Action.ASK and (approved := of(Action.APPROVE, strict=False)):
        return Action.ALLOW, Cause.ANSWER, approved, costs
    return action, Cause.DEFAULT, set(), costs if action is not Action.DENY else []
