"""One rule made ready for judging: patterns, conditions and limits read once. Pure.

What cannot be compiled is a `RuleError` here, for disabled rules too, so that nothing is left to
fail at judging time, nor when a rule is switched on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mcpwall.model import TOOLS_CALL, Action, Budget, Call, RateLimit, Rule, Tool
from mcpwall.policy.arguments import ANY, Leaves, PathError, compile_path, parse_path
from mcpwall.policy.conditions import Clause, ConditionError
from mcpwall.policy.flow import WITHIN_MAX_S, Flow
from mcpwall.policy.limits import Amount, parse_amount
from mcpwall.policy.match import GlobError, Names
from mcpwall.policy.operators import Resolve

COUNT_MAX = 1_000_000  # calls in one window, so that one limit's log stays in memory
WINDOW_MAX_S = 366 * 86_400
PERMITTING = (Action.ALLOW, Action.APPROVE)


class RuleError(ValueError):
    """A rule that cannot be compiled: which one, at which key (`when.path.regex`), and why."""

    def __init__(self, rule_id: str, key: str, message: str) -> None:
        super().__init__(f'rule "{rule_id}", {key}: {message}' if rule_id else f"{key}: {message}")
        self.rule_id = rule_id
        self.key = key
        self.message = message


class Limit(NamedTuple):
    """A compiled rate limit or budget. `amounts` finds the argument that a budget sums up."""

    source: RateLimit | Budget
    maximum: Amount
    window_ns: int
    amounts: Leaves | None


class Compiled:
    """One rule, ready to be asked whether a call is its business."""

    __slots__ = (
        *("agent", "budget", "clauses", "flow", "limit", "method", "more_than", "order"),
        *("project", "reach", "reads", "risk", "rule", "server", "tool"),
    )

    def __init__(self, rule: Rule) -> None:
        """Raises RuleError."""
        self.rule = rule
        self.project = is_project(rule)
        self.order = (rule.id, self.project)
        self.server = _names(rule, "server", rule.server)
        self.tool = _names(rule, "tool", rule.tool)
        self.agent = _names(rule, "agent", rule.agent)
        self.method = _names(rule, "method", rule.method or (TOOLS_CALL,))
        self.risk = frozenset(rule.risk)
        self.reach = frozenset(rule.reach)
        self.reads = frozenset(rule.reads)
        self.clauses = tuple(_clauses(rule))
        self.flow = _flow(rule)
        self.limit = _rate_limit(rule, "rate_limit", rule.rate_limit) if rule.rate_limit else None
        self.budget = _budget(rule, rule.budget) if rule.budget else None
        self.more_than = _more_than(rule, rule.more_than) if rule.more_than else None

    @property
    def looks_back(self) -> bool:
        """Whether it is for the calls before to say what this rule does with one."""
        return self.flow is not None or self.more_than is not None

    def concerns(self, call: Call) -> bool:
        """Whether a call's names and risk are this rule's; conditions are not looked at."""
        return (
            self.tool.match(call.tool)
            and self.server.match(call.server)
            and self.method.match(call.method)
            and (not self.risk or call.risk in self.risk)
            and (not self.reach or call.reach in self.reach)
            and (not self.reads or not self.reads.isdisjoint(call.reads))
            and self.agent.match(call.client, call.agent)
        )

    def is_about(self, tool: Tool) -> bool:
        """Whether this rule concerns some agent's calls of a tool."""
        return (
            self.tool.match(tool.name)
            and self.server.match(tool.server)
            and self.method.match(TOOLS_CALL)
            and (not self.risk or tool.risk in self.risk)
            and (not self.reach or tool.traits.reach in self.reach)
            and (not self.reads or not self.reads.isdisjoint(tool.traits.reads))
        )

    def may_match(self, call: Call, resolve: Resolve) -> bool:
        """Whether no condition rules the call out: what makes a restraining rule match."""
        for clause in self.clauses:
            if not clause.may_hold(call.arguments, call.directory, resolve):
                return False
        return True

    def surely_matches(self, call: Call, resolve: Resolve) -> bool:
        """Whether every condition holds beyond doubt: what makes a permitting rule match."""
        for clause in self.clauses:
            if not clause.surely_holds(call.arguments, call.directory, resolve):
                return False
        return True


def names_tools(rule: Rule) -> bool:
    """Whether the tools that a rule matches are thereby meant to be used.

    It must name them, by name or by pattern, must not only forbid them, and must be the person's.
    """
    uses = rule.action not in (None, Action.DENY) or rule.rate_limit or rule.budget
    named = any(not pattern.startswith("!") for pattern in rule.tool)
    return named and bool(uses) and not rule.hide and not is_project(rule)


def is_project(rule: Rule) -> bool:
    """Whether a rule comes from a project's file, which may only tighten."""
    return rule.origin is not None and rule.origin.project


def _names(rule: Rule, key: str, patterns: Sequence[str]) -> Names:
    try:
        return Names(patterns)
    except GlobError as error:
        raise RuleError(rule.id, key, str(error)) from error


def _clauses(rule: Rule) -> Iterable[Clause]:
    for condition in rule.when:
        try:
            yield Clause(condition)
        except ConditionError as error:
            raise RuleError(rule.id, f"when.{error.key}", str(error)) from error


def _flow(rule: Rule) -> Flow | None:
    """What a rule asks of earlier calls. Only rules that restrain may ask: see docs/rules.md."""
    if rule.action in PERMITTING:
        for key in ("after", "repeat", "more_than"):
            if getattr(rule, key) is not None:
                what = "only rules that deny, ask or limit look at earlier calls"
                raise RuleError(rule.id, key, f'{what}, not one that says "{rule.action}"')
    if rule.after is None and rule.repeat is None:
        return None
    if rule.repeat is not None and not 1 <= rule.repeat <= COUNT_MAX:
        raise RuleError(rule.id, "repeat", f"must be between 1 and {COUNT_MAX}, not {rule.repeat}")
    within_s = rule.after.within_s if rule.after is not None else None
    if within_s is not None and not 0 < within_s <= WITHIN_MAX_S:
        raise RuleError(rule.id, "after.within", "must be more than 0 s and at most a day")
    try:
        return Flow(rule.after, rule.repeat)
    except GlobError as error:
        raise RuleError(rule.id, "after", str(error)) from error


def _rate_limit(rule: Rule, key: str, limit: RateLimit) -> Limit:
    if not 1 <= limit.max <= COUNT_MAX:
        raise RuleError(
            rule.id,
            f"{key}.max",
            f'must be between 1 and {COUNT_MAX}, not {limit.max}; to stop all, action = "deny"',
        )
    _per_argument(rule, key, limit)
    return Limit(limit, limit.max, _window_ns(rule, key, limit.window_s), None)


def _more_than(rule: Rule, limit: RateLimit) -> Limit:
    if rule.action is not Action.ASK:
        what = 'only a rule with action = "ask" takes it; to refuse what is more, write rate_limit'
        raise RuleError(rule.id, "more_than", what)
    if rule.rate_limit is not None or rule.budget is not None:
        raise RuleError(rule.id, "more_than", "write a rule of its own for the limit or budget")
    return _rate_limit(rule, "more_than", limit)


def _budget(rule: Rule, budget: Budget) -> Limit:
    maximum = parse_amount(budget.max)
    if maximum is None:
        raise RuleError(rule.id, "budget.max", f'must be a decimal from 0, not "{budget.max}"')
    try:
        amounts = compile_path(budget.sum)
    except PathError as error:
        raise RuleError(rule.id, "budget.sum", str(error)) from error
    if budget.sum in (ANY, ""):
        raise RuleError(rule.id, "budget.sum", "must name the argument that is summed up")
    _per_argument(rule, "budget", budget)
    return Limit(budget, maximum, _window_ns(rule, "budget", budget.window_s), amounts)


def _per_argument(rule: Rule, key: str, limit: RateLimit | Budget) -> None:
    """Check the argument by whose value a limit counts apart."""
    if not limit.per_argument:
        return
    try:
        steps = parse_path(limit.per_argument)
    except PathError as error:
        raise RuleError(rule.id, f"{key}.per_argument", str(error)) from error
    if limit.per_argument == ANY or None in steps:
        raise RuleError(rule.id, f"{key}.per_argument", "must name one argument")


def _window_ns(rule: Rule, key: str, seconds: float) -> int:
    window_ns = round(seconds * 1e9) if math.isfinite(seconds) and seconds <= WINDOW_MAX_S else 0
    if window_ns <= 0:
        raise RuleError(rule.id, f"{key}.window", "must be more than 0 s and at most 366 days")
    return window_ns
