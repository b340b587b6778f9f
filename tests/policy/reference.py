"""The judge once more, as plainly as it can be said: no index, no cache, nothing shared.

Speaks every key of a rule and a part of the operators (the strategies of test_p15 write no more),
and keeps every booking for ever, counting anew each time.
"""

from __future__ import annotations

import fnmatch
import math
from decimal import Decimal
from typing import Any

import msgspec

from mcpwall.model import Action, Budget, Call, Cause, Defaults, Per, RateLimit, Rest, Rule

SECRET = "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789"  # the one secret in the strategies
Made = list[tuple[Call, float]]  # what was forwarded, and when
Bookings = list[tuple[tuple[str, ...], float, Decimal]]  # what was counted, when, how much


def holds(op: str, wanted: Any, call: Call, argument: str) -> bool | None:
    """Whether one condition holds; None when that cannot be said."""
    there = argument in call.arguments
    value = call.arguments.get(argument)
    if op == "exists":
        return None if there and value is None else there is wanted
    if op == "secret":
        return (value == SECRET) is wanted if there else None
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


def is_project(rule: Rule) -> bool:
    return rule.origin is not None and rule.origin.project


def names(rule: Rule, call: Call) -> bool:
    """Whether a rule of the person's names the tool of a call, as one that is to be used."""
    uses = rule.rate_limit or rule.budget or rule.action not in (None, Action.DENY)
    positive = any(not pattern.startswith("!") for pattern in rule.tool)
    anyhow = msgspec.structs.replace(rule, when=())
    return bool(uses and positive and not rule.hide and not is_project(rule)) and matches(
        anyhow, call, strict=True
    )


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
        and (not after.risk or one.risk in after.risk)
        and (not after.reach or one.reach in after.reach)
        and (not after.reads or any(what in one.reads for what in after.reads))
        and (after.within_s is None or at > now_s - after.within_s)
        for one, at in mine
    )


def judge(
    call: Call,
    rules: list[Rule],
    defaults: Defaults,
    past: tuple[Bookings, Made],
    now_s: float,
    *,
    rest: dict[str, Rest],
    approved: bool,
) -> tuple[Action, Cause, set[str], Bookings]:
    """Action, cause, the ids of the rules behind it, and what to book if it is forwarded."""
    booked, made = past
    costs: Bookings = []

    def concerns(rule: Rule, *, strict: bool = True) -> bool:
        return matches(rule, call, strict=strict) and looks_back(rule, call, made, now_s)

    def of(action: Action, *, strict: bool = True, project: bool = False) -> set[str]:
        mine = [r for r in rules if r.action is action and is_project(r) is project]
        return {r.id for r in mine if concerns(r, strict=strict)}

    def wait(rule: Rule, limit: RateLimit | Budget, amount: Decimal) -> float:
        """Seconds until there is room for a call, 0 for now; it is booked for the limit."""
        apart = {
            Per.TOOL: [call.server, call.method, call.tool if is_call else ""],
            Per.SERVER: [call.server],
            Per.AGENT: [call.client],
            Per.SESSION: [call.session],
        }[limit.per]
        if name := limit.per_argument:
            apart.append(repr(call.arguments.get(name, "none at all")))
        key = (rule.id, type(limit).__name__, *apart)
        costs.append((key, now_s, amount))
        mine = sorted((at, much) for k, at, much in booked if k == key)
        for later in [now_s, *(at + limit.window_s for at, _ in mine)]:
            spent = sum(much for at, much in mine if at > later - limit.window_s)
            if later >= now_s and spent + amount <= Decimal(limit.max):
                return later - now_s
        return math.inf

    is_call = call.method == "tools/call"
    if hidden := {r.id for r in rules if r.hide and matches(r, call, strict=True)}:
        return Action.DENY, Cause.HIDDEN, hidden, []
    if is_call and call.server in rest and not any(names(r, call) for r in rules):
        hides = rest[call.server] is Rest.HIDE
        return Action.DENY, Cause.HIDDEN if hides else Cause.DEFAULT, set(), []
    if denied := of(Action.DENY) | of(Action.DENY, project=True):
        return Action.DENY, Cause.RULE, denied, []
    full: list[tuple[float, Cause, str]] = []
    for rule in sorted((r for r in rules if concerns(r)), key=lambda r: r.id):
        if rule.rate_limit and (seconds := wait(rule, rule.rate_limit, Decimal(1))):
            full.append((seconds, Cause.LIMIT, rule.id))
        if rule.budget:
            value = call.arguments.get(rule.budget.sum)
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                return Action.DENY, Cause.BUDGET, {rule.id}, []
            if seconds := wait(rule, rule.budget, Decimal(str(value))):
                full.append((seconds, Cause.BUDGET, rule.id))
    if full:
        worst = max(full, key=lambda one: one[0])
        return Action.DENY, worst[1], {name for _, _, name in full}, []
    more = [r for r in rules if r.more_than and concerns(r)]
    little = {r.id for r in more if r.more_than and not wait(r, r.more_than, Decimal(1))}
    allowed = of(Action.ALLOW, strict=False)
    action = getattr(defaults, call.risk.value) if is_call else defaults.other_methods
    asked = of(Action.ASK) - little
    if action is Action.DENY and not allowed and not of(Action.ASK, strict=False) - little:
        asked = set()  # a default of deny gives way only to a rule that surely asks
    if asked or allowed or action is not Action.DENY:  # a project's ask makes no deny milder
        asked |= of(Action.ASK, project=True) - little
    if asked or (action is Action.ASK and not allowed):
        standing = of(Action.APPROVE, strict=False)
        back = {r.id for r in rules if r.after or r.repeat or r.more_than}
        if approved:
            return Action.ALLOW, Cause.PERSON, asked, costs
        if standing and not asked & back:
            return Action.ALLOW, Cause.ANSWER, asked | standing, costs
        return Action.ASK, Cause.RULE if asked else Cause.DEFAULT, asked, costs
    if allowed:
        return Action.ALLOW, Cause.RULE, allowed, costs
    return action, Cause.DEFAULT, set(), costs if action is not Action.DENY else []
