"""What a change of the rules, or a remembered answer, would have done to the last calls.

Nothing is changed: the calls are judged again, by the rules in force and by the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine.port import Refused, Reply
from mcpwall.engine.port_answers import Scope
from mcpwall.engine.port_rules import Preview, Previewed
from mcpwall.engine.remembering import check, fields_of, remembered
from mcpwall.model import Call, Verdict
from mcpwall.policy.answers import covers
from mcpwall.policy.compiled import Compiled
from mcpwall.policy.preview import matched
from mcpwall.policy.preview import preview as effect
from mcpwall.store.config import Config
from mcpwall.store.difference import diff
from mcpwall.store.edit import drop_rule, put_rule

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine

PREVIEWED: Final = 500  # calls that a preview judges again


def preview(engine: Engine, command: Preview) -> Reply:
    """What would have become of the last calls, and what changes in config.toml.

    Raises ValueError, EditError or ConfigError for what could not be put in force.
    """
    calls = [pair for pair in _last_calls(engine) if pair[0].id != command.call]
    old = engine.rulebook.config
    if command.remember is not None:
        return _answer(engine, command, calls)
    if command.fields is not None:
        new = put_rule(old, command.fields, command.replaces)
    elif command.replaces:
        new = drop_rule(old, command.replaces)
    else:
        return Refused("a preview needs a rule or an answer")
    in_force, changed = (c.policy() for c in (old, new))
    changes = effect(calls, in_force, changed, engine.resolve)
    return Previewed(
        len(calls),
        _matched(engine, new, command, calls),
        changes.denied,
        changes.limited,
        changes.asked,
        changes.allowed,
        diff(old, new),
    )


def _answer(engine: Engine, command: Preview, calls: list[tuple[Call, Verdict]]) -> Reply:
    record = engine.records.get(command.call)
    if record is None or command.remember is None:
        return Refused("the call is no longer remembered")
    remember = command.remember
    check(record.call, remember)
    if remember.scope is Scope.ALWAYS:
        fields = fields_of(record.call, remember, True, "")
        new = put_rule(engine.rulebook.config, fields)
        text = diff(engine.rulebook.config, new)
    else:
        text = ""
    anyhow = msgspec.structs.replace(remember, scope=Scope.QUARTER)  # not of one session alone
    _, answer = remembered(engine, record, anyhow, True, "")
    answered = tuple(call.id for call, _ in calls if covers(answer, call))
    return Previewed(len(calls), answered, diff=text)


def _matched(
    engine: Engine, new: Config, command: Preview, calls: list[tuple[Call, Verdict]]
) -> tuple[int, ...]:
    """The calls that the rule itself would have matched."""
    known = {rule.id for rule in engine.rulebook.config.rules if rule.id != command.replaces}
    rules = [Compiled(rule) for rule in new.rules if rule.id not in known]
    return matched(calls, rules, engine.resolve)


def _last_calls(engine: Engine) -> list[tuple[Call, Verdict]]:
    """The newest calls whose arguments are still known whole, oldest first."""
    records = engine.records.newest(PREVIEWED)
    return [(r.call, r.verdict) for r in records if r.whole]
