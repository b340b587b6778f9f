"""What the rules say of a tool before anybody calls it, as far as names and risk decide. Pure.

Rules with conditions on arguments, and rules for certain agents, may still make a call stricter or
milder: they are named beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mcpwall.model import Action, Rule, Tool
from mcpwall.policy.compile import Policy
from mcpwall.policy.compiled import Compiled
from mcpwall.policy.judge import span

NAMED_MAX = 5  # rules that a sentence names


class Outlook(NamedTuple):
    """What a call meets: `text` is a sentence, `rules` are the ids that say so."""

    action: Action
    rules: tuple[str, ...]
    text: str
    hidden: bool = False


def outlook(policy: Policy, tool: Tool) -> Outlook:
    """What a call of `tool` meets under the rules in force; limits are taken to have room."""
    rules = [one for one in policy.about(tool.server, tool.name, tool.risk) if not one.project]
    surely = [one for one in rules if not one.clauses and not one.rule.agent]
    action, deciding, text = _decided(surely, policy, tool)
    if action is not Action.DENY:
        text = "; ".join([text, *(_limit(one) for one in surely if one.limit or one.budget)])
    open_ = [one.rule.id for one in rules if one not in surely]
    if open_:
        text += f"; arguments or agents decide for {_names(open_)}"
    return Outlook(action, tuple(one.rule.id for one in deciding), text)


def _decided(
    rules: Sequence[Compiled], policy: Policy, tool: Tool
) -> tuple[Action, list[Compiled], str]:
    for action, said in ((Action.DENY, "denied by"), (Action.ASK, "asked by")):
        if found := _doing(rules, action):
            if action is Action.ASK and (approving := _doing(rules, Action.APPROVE)):
                ids = _ids([*found, *approving])
                return Action.ALLOW, [*found, *approving], f"approved by {_names(ids)}"
            return action, found, f"{said} {_names(_ids(found))}"
    if found := _doing(rules, Action.ALLOW):
        return Action.ALLOW, found, f"allowed by {_names(_ids(found))}"
    default: Action = getattr(policy.defaults, tool.risk.value)
    if default is Action.ASK and (approving := _doing(rules, Action.APPROVE)):
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
