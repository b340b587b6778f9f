"""All rules made ready for judging: each once, in order, indexed for each kind of call. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from mcpwall.model import TOOLS_CALL, Action, Call, Defaults, Origin, Per, Rest, Risk, Rule, Tool
from mcpwall.policy import uris
from mcpwall.policy.answers import is_answer_id
from mcpwall.policy.compiled import (
    Compiled,
    Limit,
    RuleError,
    is_project,
    names_tools,
)
from mcpwall.policy.limits import limit_key

Also: TypeAlias = Mapping[str, Mapping[str, tuple[Risk, ...]]]  # by server and tool
Windows: TypeAlias = dict[tuple[str, str], int]  # ns, by a rule's id and its project's file

CACHE_MAX = 65_536  # candidates that are kept in all, over every kind of call
DEFAULT_ACTIONS = tuple(name for name in Defaults.__struct_fields__ if name != "hold_s")
STRICTNESS = {Action.ALLOW: 0, Action.ASK: 1, Action.DENY: 2}
_TIGHTENING = (None, Action.ASK, Action.DENY)


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

    hide: tuple[Compiled, ...]
    rest: Rest | None  # set where the server is cut to tools that a rule names: none names this
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

    @property
    def hidden(self) -> bool:
        """Whether the agent is not to see the tool."""
        return bool(self.hide) or self.rest is Rest.HIDE


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

    def about(self, tool: Tool) -> list[Compiled]:
        """The rules that concern some agent's calls of a tool, ordered by id."""
        return _ordered(one for one in self._on(tool.name) if one.is_about(tool))

    def _on(self, tool: str) -> Iterable[Compiled]:
        return (*self._others, *self._by_tool.get(tool, ()))


def _ordered(rules: Iterable[Compiled]) -> list[Compiled]:
    return sorted(rules, key=lambda one: one.order)


class Policy:
    """All rules in force with the defaults. Immutable but for a bounded cache of candidates.

    `rules` are all rules, disabled ones too, each once and ordered by id. `hash` names what is in
    force: 12 hex digits of a SHA-256 over enabled rules and defaults. `windows` has the widest
    window of each rule's limits: how far back the audit must be read to restore `Limits`. `rest`
    are the servers that are cut to the tools that a rule names; `hides`: some tool may be hidden.
    `also` are the classes, by server and tool, as which a project wants calls to be judged besides.
    """

    __slots__ = (
        *("_cache", "_calls", "_kept", "_requests", "also", "defaults", "hash", "hides"),
        *("rest", "rules", "windows"),
    )

    def __init__(
        self,
        compiled: Sequence[Compiled],
        defaults: Defaults,
        rest: Mapping[str, Rest],
        also: Also,
    ) -> None:
        self.rules = tuple(one.rule for one in compiled)
        self.defaults = defaults
        self.rest = dict(rest)
        self.also = also
        active = [one for one in compiled if one.rule.enabled]
        self.hash = _hash([one.rule for one in active], defaults, self.rest, also)
        self.hides = Rest.HIDE in self.rest.values() or any(one.rule.hide for one in active)
        self.windows = _windows(active)
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
            found = _candidates(rules, call, self.defaults, self.rest.get(call.server))
            self._kept += 1 + len(rules)
            if self._kept > CACHE_MAX:
                self._cache.clear()
                self._kept = 1 + len(rules)
            self._cache[key] = found
        return found

    def about(self, tool: Tool) -> list[Compiled]:
        """The rules that concern calls of a tool by any agent, ordered by id."""
        return self._calls.about(tool)

    def classes(self, call: Call) -> tuple[Risk, ...]:
        """The classes of a call's tool: its own, then those that a project adds."""
        if call.method != TOOLS_CALL:
            return (call.risk,)
        more = self.also.get(call.server, {}).get(call.tool, ())
        return (call.risk, *(risk for risk in more if risk is not call.risk))

    def readings(self, call: Call) -> Iterator[Call]:
        """The call as it is, as one of each other class of its tool, and with its URI in plain."""
        yield call
        if call.method in uris.METHODS:
            for uri in uris.readings(call.tool):
                yield msgspec.structs.replace(call, tool=uri)
        for risk in self.classes(call)[1:] if self.also else ():
            yield msgspec.structs.replace(call, risk=risk)


def compile_policy(
    rules: Sequence[Rule],
    defaults: Defaults,
    *,
    project_rules: Sequence[Rule] = (),
    project_defaults: Defaults | None = None,
    rest: Mapping[str, Rest] = {},
    also: Also | None = None,
) -> Policy:
    """Rules and defaults of the person's file, tightened by those of a project's.

    `rest` says of servers what becomes of the tools that no rule of the person's names. `also` are
    the classes of risk that a project gives to tools, besides their own.
    A project's rules deny, hide, ask and limit; its defaults count where they are stricter (a
    loader starts them from the person's), and its `hold` not at all. Raises RuleError.
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
    return Policy(ordered, stricter(defaults, project_defaults), rest, also or {})


def _windows(active: Sequence[Compiled]) -> Windows:
    widest: Windows = {}
    for one in active:
        for limit in (one.limit, one.budget, one.more_than):
            if limit is not None:
                name = (one.rule.id, _file(one.rule))
                widest[name] = max(widest.get(name, 0), limit.window_ns)
    return widest


def _as_project(rule: Rule) -> Rule:
    if is_project(rule):
        return rule
    file, line = (rule.origin.file, rule.origin.line) if rule.origin else (".mcpwall.toml", 1)
    return msgspec.structs.replace(rule, origin=Origin(file, line, project=True))


def _candidates(
    rules: Sequence[Compiled], call: Call, defaults: Defaults, rest: Rest | None
) -> Candidates:
    def doing(action: Action) -> tuple[Compiled, ...]:
        return tuple(one for one in rules if one.rule.action is action)

    asking = doing(Action.ASK)
    if call.method == TOOLS_CALL:
        default, what = getattr(defaults, call.risk.value), f"{call.risk} tools"
    else:
        default, what = defaults.other_methods, "requests that call no tool"
    named = call.method != TOOLS_CALL or any(names_tools(one.rule) for one in rules)
    return Candidates(
        hide=tuple(one for one in rules if one.rule.hide),
        rest=None if named else rest,
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
    return msgspec.structs.replace(rule, origin=None), _file(rule)


def _file(rule: Rule) -> str:
    """The project's file that a rule comes from, '' for the person's own."""
    return rule.origin.file if rule.origin is not None and rule.origin.project else ""


def _hash(rules: Sequence[Rule], defaults: Defaults, rest: Mapping[str, Rest], also: Also) -> str:
    parts = sorted(msgspec.json.encode(_meaning(rule), order="deterministic") for rule in rules)
    parts.append(msgspec.json.encode(defaults, order="deterministic"))
    if rest:
        parts.append(msgspec.json.encode(rest, order="deterministic"))
    if also:
        parts.append(b"also " + msgspec.json.encode(also, order="deterministic"))
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:12]
