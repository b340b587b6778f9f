"""A policy as text for the record, and made again from it. Pure."""

from __future__ import annotations

import msgspec

from mcpwall.model import Defaults, Rest, Risk, Rule
from mcpwall.policy.compile import Policy, compile_policy


class Written(msgspec.Struct, frozen=True):
    """What is in force: rules that are enabled, a project's marked as such, defaults, classes."""

    rules: tuple[Rule, ...]
    defaults: Defaults
    rest: dict[str, Rest] = {}
    also: dict[str, dict[str, tuple[Risk, ...]]] = {}


def write_policy(policy: Policy) -> str:
    """The text of a policy, which has the same hash when it is read again."""
    active = tuple(rule for rule in policy.rules if rule.enabled)
    also = {server: dict(tools) for server, tools in policy.also.items()}
    return msgspec.json.encode(Written(active, policy.defaults, policy.rest, also)).decode()


def read_policy(text: str) -> Policy:
    """The policy of a text. Raises ValueError for one that no policy made."""
    told = msgspec.json.decode(text, type=Written)
    return compile_policy(told.rules, told.defaults, rest=told.rest, also=told.also)
