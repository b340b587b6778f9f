"""The classes of risk that a person gives to tools, in place of what the wall finds. Pure.

Such a class is the tool's from then on, wherever a class matters: for rules and defaults, for the
keys of an approval, for what is recommended. What else a tool can do (its traits) stays as found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

import msgspec

from mcpwall.model import TWO_KEYS, Action, Risk, Rule, SetRisk, Tool
from mcpwall.policy.compile import STRICTNESS, Policy
from mcpwall.policy.compiled import PERMITTING, names_tools

Risks: TypeAlias = Mapping[str, Mapping[str, SetRisk]]  # by server and exact name of a tool


class Word(NamedTuple):
    """What a person says of one server's tools.

    `trusted`: its hints may lower the class that is found. `risks` are by the exact names of tools.
    """

    trusted: bool = False
    risks: Mapping[str, SetRisk] = {}

    def on(self, tool: Tool) -> Tool:
        """A tool whose class was found, with the class that the person gives it, if any."""
        said = self.risks.get(tool.name)
        if said is None:
            return tool
        place = f"{said.origin.file}:{said.origin.line}"
        found = f"; the wall found {tool.risk}: {tool.why}" if tool.risk is not said.risk else ""
        why = f"set by you in {place}{found}"
        return msgspec.structs.replace(tool, risk=said.risk, why=why, found=tool.risk)


NOTHING: Final = Word()


def changed(old: Risks, new: Risks) -> list[tuple[str, str]]:
    """The tools, as server and name, that are given another class now, or none any more."""
    before, after = _classes(old), _classes(new)
    return sorted(key for key in before | after if before.get(key) != after.get(key))


def lowered(policy: Policy, old: Risks, new: Risks) -> Iterable[str]:
    """A sentence for each tool whose new class could let pass what its old one did not.

    By the rules of `policy`, which are to be in force then. Nothing is known here of what the wall
    finds: where a person gives no class, any may be a tool's.
    """
    before, after = _classes(old), _classes(new)
    known: dict[tuple[Risk | None, Risk | None], bool] = {}
    for server, tool in changed(old, new):
        was, now = before.get((server, tool)), after.get((server, tool))
        if (was, now) not in known:
            known[was, now] = all(
                _is_as_strict(policy, one, other) for one in _any(now) for other in _any(was)
            )
        if not known[was, now]:
            yield _sentence(f"{server}.{tool}", was, now)


def _sentence(name: str, was: Risk | None, now: Risk | None) -> str:
    if now is None:
        return f"the risk of {name} is no longer set to {was}"
    if was is None:
        return f"the risk of {name} is set to {now}, whatever the wall finds"
    return f"the risk of {name} goes from {was} to {now}"


def _any(risk: Risk | None) -> Iterable[Risk]:
    return Risk if risk is None else (risk,)


def _classes(risks: Risks) -> dict[tuple[str, str], Risk]:
    return {(server, tool): s.risk for server, some in risks.items() for tool, s in some.items()}


def _is_as_strict(policy: Policy, now: Risk, was: Risk) -> bool:
    """Whether no call gets more as one of class `now` than as one of class `was`."""
    if now is was:
        return True
    if was in TWO_KEYS and now not in TWO_KEYS:
        return False
    defaults = policy.defaults
    default, default_was = getattr(defaults, now.value), getattr(defaults, was.value)
    if STRICTNESS[default] < STRICTNESS[default_was]:
        return False
    rules = (rule for rule in policy.rules if rule.enabled)
    return all(_keeps(policy, rule, now, was, default_was) for rule in rules)


def _keeps(policy: Policy, rule: Rule, now: Risk, was: Risk, default_was: Action) -> bool:
    """Whether a rule restrains calls of class `now` as it did those of `was`, and opens no more."""
    if rule.after is not None:
        follows, followed = _has(rule.after.risk, now), _has(rule.after.risk, was)
        if follows is not followed and (followed or rule.action is Action.ASK):
            return False  # an ask may be milder than a default that denies
    catches, caught = _has(rule.risk, now), _has(rule.risk, was)
    if catches is caught:
        return True
    if caught:  # a permission that is lost is none; whatever else a rule does may be missed
        return rule.action in PERMITTING and rule.rate_limit is None and rule.budget is None
    if policy.rest and names_tools(rule):  # it opens a server that is cut to such tools
        return False
    softens = rule.action is Action.ASK and default_was is Action.DENY
    return rule.action not in PERMITTING and not softens


def _has(risks: tuple[Risk, ...], risk: Risk) -> bool:
    return not risks or risk in risks
