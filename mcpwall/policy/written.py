"""A policy as text for the record, and made again from it. Pure."""

from __future__ import annotations

import msgspec

from mcpwall.model import Defaults, Rest, Rule
from mcpwall.policy.compile import Policy, compile_policy


class Written(msgspec.Struct, frozen=True):
    """What is in force: rules that are enabled, a project's marked as such, and the defaults."""

    rules: tuple[Rule, ...]
    defaults: Defaults
    rest: dict[str, Rest] = {}


def write_policy(policy: Policy) -> str:
    """The text of a policy, which has the same hash when it is read again."""
    active = tuple(rule for rule in policy.rules if rule.enabled)
    return msgspec.json.encode(Written(active, policy.defaults, policy.rest)).decode()


def read_policy(text: str) -> Policy:
    """The policy of a text. Raises ValueError for one that no policy made."""
    told = msgspec.json.decode(text, type=Written)
    return compile_policy(told.rules, told.defaults, rest=told.rest)
