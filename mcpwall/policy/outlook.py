"""What the rules say of a tool before anybody calls it, as far as names and risk decide. Pure.

Rules with conditions on arguments, and rules for certain agents, may still make a call stricter or
milder: they are named beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mcpwall.model import Action, Rest, Rule, Tool, span
from mcpwall.policy.compile import Policy
from mcpwall.policy.compiled import Compiled, names_tools

NAMED_MAX = 5  # rules that a sentence names


class Outlook(NamedTuple):
    """What a call meets: `text` is a sentence, `rules` are the ids that say so."""

    action: Action
    rules: tuple[str, ...]
    text: str
    hidden: bool = False


def outlook(policy: Policy, tool: Tool) -> Outlook:
    """What a call of `tool` meets under the rules in force; limits are taken to have room."""
    rules = [one for one in policy.about(tool) if not one.project]
    surely = [one for one in rules if not (one.clauses or one.looks_back or one.rule.agent)]
    rest = policy.rest.get(tool.server)
    cut = rest is not None and not any(names_tools(one.rule) for one in rules)
    action, deciding, text = _decided(surely, policy, tool, cut=cut)
    if action is not Action.DENY:
        text = "; ".join([text, *(_limit(one) for one in surely if one.limit or one.budget)])
    if open_ := [one.rule.id for one in rules if one not in surely]:
        text += f"; arguments, agents or earlier calls decide for {_names(open_)}"
    hidden = any(one.rule.hide for one in rules) or (cut and rest is Rest.HIDE)
    return Outlook(action, tuple(one.rule.id for one in deciding), text, hidden)


def _decided(
    rules: Sequence[Compiled], policy: Policy, tool: Tool, *, cut: bool
) -> tuple[Action, list[Compiled], str]:
    if found := [one for one in rules if one.rule.hide]:
        return Action.DENY, found, f"hidden by {_names(_ids(found))}"
    if cut:
        return Action.DENY, [], "denied: of this server only tools that a rule names can be called"
    if found := _doing(rules, Action.DENY):
        return Action.DENY, found, f"denied by {_names(_ids(found))}"
    approving = _doing(rules, Action.APPROVE)
    if found := _doing(rules, Action.ASK):
        if approving:
            both = [*found, *approving]
            return (
                Action.ALLOW,
                both,
                f"asked by {_ids(found)[0]}, approved by {_names(_ids(approving))}",
            )
        return Action.ASK, found, f"asked by {_names(_ids(found))}"
    if found := _doing(rules, Action.ALLOW):
        return Action.ALLOW, found, f"allowed by {_names(_ids(found))}"
    default: Action = getattr(policy.defaults, tool.risk.value)
    if default is Action.ASK and approving:
        return Action.ALLOW, approving, f"approved by {_names(_ids(approving))}"
    return default, [], f"{default} by the default for {tool.risk} tools"


def _doing(rules: Sequence[Compiled], action: Action) -> list[Compiled]:
    return [one for one in rules if one.rule.action is action]


def _limit(one: Compiled) -> str:
    rule: Rule = one.rule
    if rule.rate_limit is not None:
        limit = rule.rate_limit
        return f"at most {limit.max} in any {span(limit.window_s)} by {rule.id}"
    return f"a budget by {rule.id}"


def _ids(rules: Sequence[Compiled]) -> list[str]:
    return [one.rule.id for one in rules]


def _names(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED_MAX} more" if ids[NAMED_MAX:] else ""
    return ", ".join(ids[:NAMED_MAX]) + more
