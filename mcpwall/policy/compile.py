"""Rules made ready for judging: checked once, ordered once, indexed for each kind of call.

Nothing is left to fail at judging time: what cannot be compiled is a `RuleError` here, for
disabled rules too, so that switching one on never fails.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from mcpwall.model import Action, Budget, Call, Defaults, Origin, Per, RateLimit, Risk, Rule
from mcpwall.policy.answers import is_answer_id
from mcpwall.policy.arguments import ANY, Leaves, PathError, compile_path, parse_path
from mcpwall.policy.conditions import Clause, ConditionError
from mcpwall.policy.flow import WITHIN_MAX_S, Flow
from mcpwall.policy.limits import Amount, limit_key, parse_amount
from mcpwall.policy.match import GlobError, Names
from mcpwall.policy.operators import Resolve

TOOLS_CALL = "tools/call"
CACHE_MAX = 65_536  # candidates that are kept in all, over every kind of call
COUNT_MAX = 1_000_000  # calls in one window, so that one limit's log stays in memory
WINDOW_MAX_S = 366 * 86_400
DEFAULT_ACTIONS = tuple(name for name in Defaults.__struct_fields__ if name != "hold_s")
STRICTNESS = {Action.ALLOW: 0, Action.ASK: 1, Action.DENY: 2}
_TIGHTENING = (None, Action.ASK, Action.DENY)
_PERMITTING = (Action.ALLOW, Action.APPROVE)


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

    def is_about(self, server: str, tool: str, risk: Risk) -> bool:
        """Whether this rule concerns some agent's calls of a tool."""
        return (
            self.tool.match(tool)
            and self.server.match(server)
            and self.method.match(TOOLS_CALL)
            and (not self.risk or risk in self.risk)
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


class Counted(NamedTuple):
    """A limit among the candidates. `key` is "" where it depends on more than the call's names."""

    rule: Compiled
    limit: Limit
    key: str

    def key_for(self, call: Call) -> str:
        """The key of the log that this call counts in."""
        return self.key or limit_key(self.rule.rule, self.limit.source, call)


class Candidates(NamedTuple):
    """The rules that may concern one kind of call, by what they do, ordered by id."""

    deny: tuple[Compiled, ...]
    counted: tuple[Counted, ...]
    watched: tuple[Compiled, ...]  # those that ask when there are more than so many
    ask: tuple[Compiled, ...]
    project_ask: tuple[Compiled, ...]
    allow: tuple[Compiled, ...]
    approve: tuple[Compiled, ...]
    default: Action  # where none of them decides
    default_reason: str
    looks_up_paths: bool


class _Index:
    """Rules found by the tool of a call, where they name tools and no patterns."""

    __slots__ = ("_by_tool", "_others")

    def __init__(self, rules: Sequence[Compiled]) -> None:
        self._others = [one for one in rules if one.tool.only is None]
        self._by_tool: dict[str, list[Compiled]] = {}
        for one in rules:
            for name in one.tool.only or ():
                self._by_tool.setdefault(name, []).append(one)

    def find(self, call: Call) -> list[Compiled]:
        """The rules that concern a call, ordered by id."""
        return _ordered(one for one in self._on(call.tool) if one.concerns(call))

    def about(self, server: str, tool: str, risk: Risk) -> list[Compiled]:
        """The rules that concern some agent's calls of a tool, ordered by id."""
        return _ordered(one for one in self._on(tool) if one.is_about(server, tool, risk))

    def _on(self, tool: str) -> Iterable[Compiled]:
        return (*self._others, *self._by_tool.get(tool, ()))


def _ordered(rules: Iterable[Compiled]) -> list[Compiled]:
    return sorted(rules, key=lambda one: one.order)


class Policy:
    """All rules in force with the defaults. Immutable but for a bounded cache of candidates.

    `rules` are all rules, disabled ones too, each once and ordered by id. `hash` names what is in
    force: 12 hex digits of a SHA-256 over enabled rules and defaults. `horizon_ns` is the widest
    window of any limit: how far back the audit must be read to restore `Limits`.
    """

    __slots__ = (
        *("_cache", "_calls", "_kept", "_requests", "defaults", "hash", "horizon_ns", "rules"),
    )

    def __init__(self, compiled: Sequence[Compiled], defaults: Defaults) -> None:
        self.rules = tuple(one.rule for one in compiled)
        self.defaults = defaults
        active = [one for one in compiled if one.rule.enabled]
        self.hash = _hash([one.rule for one in active], defaults)
        limits = [
            limit for one in active for limit in (one.limit, one.budget, one.more_than) if limit
        ]
        self.horizon_ns = max((limit.window_ns for limit in limits), default=0)
        self._calls = _Index([one for one in active if one.method.match(TOOLS_CALL)])
        self._requests = _Index([one for one in active if one.rule.method])
        self._cache: dict[tuple[object, ...], Candidates] = {}
        self._kept = 0

    def candidates(self, call: Call) -> Candidates:
        """The rules that concern a call by its names and risk."""
        key = (
            *(call.tool, call.server, call.client, call.agent, call.method),
            *(call.risk, call.reach, call.reads),
        )
        found = self._cache.get(key)
        if found is None:
            index = self._calls if call.method == TOOLS_CALL else self._requests
            rules = index.find(call)
            found = _candidates(rules, call, self.defaults)
            self._kept += 1 + len(rules)
            if self._kept > CACHE_MAX:
                self._cache.clear()
                self._kept = 1 + len(rules)
            self._cache[key] = found
        return found

    def about(self, server: str, tool: str, risk: Risk) -> list[Compiled]:
        """The rules that concern calls of a tool by any agent, ordered by id."""
        return self._calls.about(server, tool, risk)


def compile_policy(
    rules: Sequence[Rule],
    defaults: Defaults,
    *,
    project_rules: Sequence[Rule] = (),
    project_defaults: Defaults | None = None,
) -> Policy:
    """Rules and defaults of the person's file, tightened by those of a project's.

    A project's rules deny, ask and limit; its defaults count where they are stricter (a loader
    starts them from the person's), and its `hold` not at all. Raises RuleError.
    """
    compiled: dict[tuple[str, bool], Compiled] = {}
    for rule in (*rules, *map(_as_project, project_rules)):
        if is_project(rule) and rule.action not in _TIGHTENING:
            raise RuleError(
                rule.id, "action", f'a project\'s file only tightens: it cannot "{rule.action}"'
            )
        if is_answer_id(rule.id):
            raise RuleError(rule.id, "id", "such ids are for remembered answers: choose another")
        one = Compiled(rule)
        known = compiled.setdefault(one.order, one)
        if _meaning(known.rule) != _meaning(rule):
            raise RuleError(rule.id, "id", "two different rules have this id: rename one")
    ordered = sorted(compiled.values(), key=lambda one: one.order)
    return Policy(ordered, stricter(defaults, project_defaults))


def is_project(rule: Rule) -> bool:
    """Whether a rule comes from a project's file, which may only tighten."""
    return rule.origin is not None and rule.origin.project


def _as_project(rule: Rule) -> Rule:
    if is_project(rule):
        return rule
    file, line = (rule.origin.file, rule.origin.line) if rule.origin else (".mcpwall.toml", 1)
    return msgspec.structs.replace(rule, origin=Origin(file, line, project=True))


def _candidates(rules: Sequence[Compiled], call: Call, defaults: Defaults) -> Candidates:
    def doing(action: Action) -> tuple[Compiled, ...]:
        return tuple(one for one in rules if one.rule.action is action)

    asking = doing(Action.ASK)
    if call.method == TOOLS_CALL:
        default, what = getattr(defaults, call.risk.value), f"{call.risk} tools"
    else:
        default, what = defaults.other_methods, "requests that call no tool"
    return Candidates(
        deny=doing(Action.DENY),
        counted=tuple(
            _counted(one, limit, call)
            for one in rules
            for limit in (one.limit, one.budget)
            if limit is not None
        ),
        watched=tuple(one for one in rules if one.more_than is not None),
        ask=tuple(one for one in asking if not one.project),
        project_ask=tuple(one for one in asking if one.project),
        allow=doing(Action.ALLOW),
        approve=doing(Action.APPROVE),
        default=default,
        default_reason=f"No rule decides; the default for {what} is {default}.",
        looks_up_paths=any(clause.looks_up_paths for one in rules for clause in one.clauses),
    )


def _counted(one: Compiled, limit: Limit, call: Call) -> Counted:
    source = limit.source
    fixed = source.per is not Per.SESSION and not source.per_argument
    return Counted(one, limit, limit_key(one.rule, source, call) if fixed else "")


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
    if rule.action in _PERMITTING:
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


def stricter(defaults: Defaults, project: Defaults | None) -> Defaults:
    """`defaults` with the stricter action of both for each class. Raises RuleError."""
    merged: dict[str, Action] = {}
    for name in DEFAULT_ACTIONS:
        actions = [getattr(each, name) for each in (defaults, project) if each is not None]
        for action in actions:
            if action not in STRICTNESS:
                raise RuleError(
                    "", f"defaults.{name}", f'must be allow, ask or deny, not "{action}"'
                )
        merged[name] = max(actions, key=STRICTNESS.__getitem__)
    return msgspec.structs.replace(defaults, **merged)


def _meaning(rule: Rule) -> tuple[Rule, str]:
    """What makes two rules the same: all but where in its file a rule was written."""
    file = rule.origin.file if rule.origin is not None and rule.origin.project else ""
    return msgspec.structs.replace(rule, origin=None), file


def _hash(rules: Sequence[Rule], defaults: Defaults) -> str:
    parts = sorted(msgspec.json.encode(_meaning(rule), order="deterministic") for rule in rules)
    parts.append(msgspec.json.encode(defaults, order="deterministic"))
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:12]
