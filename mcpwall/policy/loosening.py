"""What a change of the rules could newly permit, in sentences for the person who must consent.

Guards edits of the config from outside, so it errs on one side: a change counts as loosening
unless it is plainly a tightening or no change. Rules are compared by what they do, not by where
they stand, so a new order says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from mcpwall.model import (
    TOOLS_CALL,
    Action,
    After,
    Budget,
    Defaults,
    Origin,
    RateLimit,
    Rest,
    Risk,
    Rule,
)
from mcpwall.policy.compile import DEFAULT_ACTIONS, STRICTNESS, Also, Policy
from mcpwall.policy.compiled import PERMITTING, is_project, names_tools
from mcpwall.policy.limits import parse_amount
from mcpwall.policy.match import Names, covers, is_literal, literal_text

# A stranger's file must not keep the engine busy: beyond this no rule stands in for another.
COMPARED_MAX = 1_000_000  # pairs of characters, less than a second
_RULE = 20  # what a rule weighs besides its patterns


def loosened(old: Policy, new: Policy) -> tuple[str, ...]:
    """A sentence for each way in which `new` could permit what `old` did not; empty for none."""
    before, after = _in_force(old), _in_force(new)
    gone = [rule for rule in before.values() if not _is_kept(rule, after)]
    fresh = [rule for rule in after.values() if not _is_kept(rule, before)]
    compared = _size(gone) * _size(fresh) <= COMPARED_MAX
    said: list[str] = []
    for rule in gone:
        said += _less_restraint(rule, after.get(_key(rule)), fresh if compared else ())
    for rule in fresh:
        said += _more_permission(rule, gone if compared else (), old.defaults)
        said += _more_named(rule, gone if compared else (), old.rest)
    said += _less_cut(old.rest, new.rest)
    said += _fewer_classes(old.also, new.also)
    return (*said, *_weaker_defaults(old.defaults, new.defaults))


def _size(rules: Sequence[Rule]) -> int:
    """About how much there is to compare in rules: their patterns' characters."""
    return sum(
        _RULE + sum(map(len, (*rule.server, *rule.tool, *rule.agent, *rule.method)))
        for rule in rules
    )


def _in_force(policy: Policy) -> dict[tuple[str, bool], Rule]:
    return {_key(rule): rule for rule in policy.rules if rule.enabled}


def _key(rule: Rule) -> tuple[str, bool]:
    return rule.id, is_project(rule)


def _is_kept(rule: Rule, others: dict[tuple[str, bool], Rule]) -> bool:
    """Whether the same rule is there too; its reason and its line do not matter.

    Nor does its file, unless it counts there.
    """
    other = others.get(_key(rule))
    return other is not None and _bare(other) == _bare(rule)


def _bare(rule: Rule) -> Rule:
    origin = None
    if rule.rate_limit or rule.budget or rule.more_than:
        origin = Origin(_file(rule), 0)
    return msgspec.structs.replace(rule, origin=origin, reason="")


def _file(rule: Rule) -> str:
    """The project's file that a rule comes from, '' for the person's own."""
    return rule.origin.file if rule.origin is not None and is_project(rule) else ""


def _less_restraint(old: Rule, now: Rule | None, fresh: Sequence[Rule]) -> Iterable[str]:
    """What a rule denied, asked or counted, and no rule of the new ones does as well."""
    what = "is gone or disabled" if now is None else "covers less or something else"
    if old.hide and not _covered(old, fresh, _stops):
        yield f"hide rule {old.id} {what}"
    elif old.action is Action.DENY and not _covered(old, fresh, _stops):
        yield f"deny rule {old.id} {what}"
    # A user's ask holds a call even where a default would allow it; so does a project's.
    if old.action is Action.ASK and not _covered(
        old, fresh, lambda r: r.action is Action.ASK or _stops(r)
    ):
        yield f"ask rule {old.id} {what}"
    if old.rate_limit is not None and not _covered(
        old, fresh, lambda r: _stops(r) or (_same_log(old, r) and _holds_rate(old, r))
    ):
        yield f"rate limit {old.id} {_no_more(old, now)}"
    if old.budget is not None and not _covered(
        old, fresh, lambda r: _stops(r) or (_same_log(old, r) and _holds_sum(old, r))
    ):
        yield f"budget {old.id} {_no_more(old, now)}"


def _no_more(old: Rule, now: Rule | None) -> str:
    """What became of a limit that does not hold any more."""
    if now is None:
        return "is gone or disabled"
    return "is wider" if _same_log(old, now) else "counts anew in another file"


def _stops(rule: Rule) -> bool:
    return rule.action is Action.DENY or rule.hide


def _less_cut(old: Mapping[str, Rest], new: Mapping[str, Rest]) -> Iterable[str]:
    """Servers that are no longer cut to the tools that a rule names."""
    for server in sorted(old.keys() - new.keys()):
        yield f"the server {server} is no longer cut to the tools that a rule names"


def _fewer_classes(old: Also, new: Also) -> Iterable[str]:
    """Classes as which a project wanted calls to be judged besides, and does no more."""
    for server, tools in sorted(old.items()):
        for tool, risks in sorted(tools.items()):
            kept = new.get(server, {}).get(tool, ())
            for risk in risks:
                if risk not in kept:
                    yield f"{server}.{tool} is no longer judged as {risk} as well"


def _more_named(new: Rule, gone: Sequence[Rule], rest: Mapping[str, Rest]) -> Iterable[str]:
    """Tools that a rule names, and thereby opens, of servers that are cut to such tools."""
    if not rest or not names_tools(new) or new.action in PERMITTING:  # those are told of anyhow
        return
    if any(names_tools(rule) and _is_wider(rule, new) for rule in gone):
        return
    servers = Names(new.server)
    if cut := [server for server in sorted(rest) if servers.match(server)]:
        yield f"rule {new.id} names tools of {cut[0]}, which is cut to the tools that a rule names"


def _more_permission(new: Rule, gone: Sequence[Rule], defaults: Defaults) -> Iterable[str]:
    """What a rule permits, and no rule of the old ones did as well."""
    if new.action in PERMITTING and not _covers_any(gone, new, (new.action,)):
        yield f"{new.action} rule {new.id} is new or covers more"
    if new.action is Action.ASK and not is_project(new):
        softens = any(getattr(defaults, risk) is Action.DENY for risk in new.risk or Risk) or (
            bool(new.method) and defaults.other_methods is Action.DENY
        )
        if softens and not _covers_any(gone, new, (Action.ASK, Action.ALLOW)):
            yield f"ask rule {new.id} asks where the default denies"


def _weaker_defaults(old: Defaults, new: Defaults) -> Iterable[str]:
    for name in DEFAULT_ACTIONS:
        was, now = getattr(old, name), getattr(new, name)
        if STRICTNESS[now] < STRICTNESS[was]:
            yield f"the default for {name} goes from {was} to {now}"
    if new.unattended is not Action.DENY and new.hold_s < old.hold_s:
        yield f"a call that nobody answers passes after {new.hold_s:g} s, not {old.hold_s:g} s"


def _covered(old: Rule, fresh: Sequence[Rule], holds: Callable[[Rule], bool]) -> bool:
    """Whether one new restraining rule that `holds` matches wherever the old one did."""
    return any(holds(rule) and _is_wider(rule, old) for rule in fresh)


def _covers_any(gone: Sequence[Rule], new: Rule, actions: Sequence[Action]) -> bool:
    """Whether one old permitting rule already matched wherever the new one does."""
    return any(
        rule.action in actions and not is_project(rule) and _is_wider(rule, new) for rule in gone
    )


def _is_wider(wide: Rule, narrow: Rule) -> bool:
    """Whether `wide` surely matches every call that `narrow` matches."""
    return (
        all(condition in narrow.when for condition in wide.when)
        and _looks_back_wider(wide, narrow)
        and _any_wider(wide.risk, narrow.risk)
        and _any_wider(wide.reach, narrow.reach)
        and _any_wider(wide.reads, narrow.reads)
        and _names_wider(wide.server, narrow.server)
        and _names_wider(wide.tool, narrow.tool)
        and _names_wider(wide.method or (TOOLS_CALL,), narrow.method or (TOOLS_CALL,))
        and _agents_wider(wide.agent, narrow.agent)
    )


def _any_wider(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """The same for a list of which one is enough; an empty one means any."""
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _looks_back_wider(wide: Rule, narrow: Rule) -> bool:
    """The same for what rules ask of earlier calls."""
    after = wide.after is None or (
        narrow.after is not None
        and _reaches_back(wide.after) >= _reaches_back(narrow.after)
        and msgspec.structs.replace(wide.after, within_s=None)
        == msgspec.structs.replace(narrow.after, within_s=None)
    )
    repeat = wide.repeat is None or (narrow.repeat is not None and wide.repeat <= narrow.repeat)
    more_than = wide.more_than is None or (
        _same_log(wide, narrow) and _holds_more(wide.more_than, narrow.more_than)
    )
    return after and repeat and more_than


def _reaches_back(after: After) -> float:
    return math.inf if after.within_s is None else after.within_s


def _names_wider(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    wanted, _ = _split(narrow)
    if wanted and all(map(is_literal, wanted)):
        names, narrow_names = Names(wide), Names(narrow)
        texts = map(literal_text, wanted)
        return all(names.match(text) for text in texts if narrow_names.match(text))
    return _agents_wider(wide, narrow)


def _agents_wider(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """The same without looking at single names: an agent has two, its client's and its own."""
    wanted, without = _split(narrow)
    wide_wanted, wide_without = _split(wide)
    return all(
        any(covers(more, name) for more in wide_wanted or ["*"]) for name in wanted or ["*"]
    ) and all(any(covers(out, name) for out in without) for name in wide_without)


def _split(patterns: Sequence[str]) -> tuple[list[str], list[str]]:
    """The patterns that take in, and those that take out, without their sign."""
    return (
        [pattern for pattern in patterns if not pattern.startswith("!")],
        [pattern[1:] for pattern in patterns if pattern.startswith("!")],
    )


def _same_log(old: Rule, new: Rule) -> bool:
    """Under another id a limit starts to count anew, and so it does in another file."""
    return _key(old) == _key(new) and _file(old) == _file(new)


def _holds_rate(old: Rule, new: Rule) -> bool:
    return old.rate_limit is not None and _holds_more(new.rate_limit, old.rate_limit)


def _holds_more(now: RateLimit | None, was: RateLimit | None) -> bool:
    """Whether a limit lets no call pass that another one stopped; both count the same."""
    if was is None or now is None:
        return False
    return now.max <= was.max and _holds_longer(was, now)


def _holds_sum(old: Rule, new: Rule) -> bool:
    was, now = old.budget, new.budget
    if was is None or now is None or was.sum != now.sum:
        return False
    limit, limit_now = parse_amount(was.max), parse_amount(now.max)
    if limit is None or limit_now is None:
        return False
    return limit_now <= limit and _holds_longer(was, now)


def _holds_longer(was: RateLimit | Budget, now: RateLimit | Budget) -> bool:
    same = (now.per, now.per_argument) == (was.per, was.per_argument)
    return same and now.window_s >= was.window_s
