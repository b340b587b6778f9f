"""A person's answer to a waiting call, and the answer that is remembered beside it.

Remembered for a session or for 15 minutes, an answer lives in memory; for always, it becomes a rule
of config.toml. What cannot be remembered as it was asked for decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.engine.port import Done, Refused, Reply
from mcpwall.engine.port_answers import Decide, Match, Remember, Scope
from mcpwall.model import Call, JsonObject
from mcpwall.policy.answers import Answer, Answers, rule_fields
from mcpwall.policy.arguments import escape_name
from mcpwall.store.config import ConfigError
from mcpwall.store.edit import EditError, put_rule

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.records import Record


def decide(engine: Engine, command: Decide) -> Reply:
    """Carry out a person's answer, and remember it if they want that.

    Raises ValueError, EditError or ConfigError for what cannot be remembered so; nothing is
    decided then.
    """
    hold, remember = engine.holds.get(command.call), command.remember
    if hold is None or remember is None:
        return engine.holds.decide(command)
    record, call = hold.record, hold.record.call
    check(call, remember)
    if remember.scope is Scope.ALWAYS:
        if record.shown and remember.match is Match.EXACT:
            raise ValueError(
                "these arguments hold a secret, which a rule would write to config.toml: remember "
                "the tool, or this call for the session or 15 minutes"
            )
        if command.allow:
            _check_always(engine, record)
        fields = fields_of(call, remember, command.allow, command.reason)
        put_rule(engine.rulebook.config, fields)  # what cannot be saved raises before it decides
        reply = engine.holds.decide(command)
        return _save(engine, fields, reply) if isinstance(reply, Done) else reply
    answers, answer = remembered(engine, record, remember, command.allow, command.reason)
    reply = engine.holds.decide(command)
    if not isinstance(reply, Done):
        return reply
    engine.remember(answers)
    engine.holds.answered()
    return Done(f"{reply.text}, and remembered as {answer.id}")


def _save(engine: Engine, fields: JsonObject, reply: Done) -> Reply:
    """Make a rule of an answer that was carried out."""
    try:
        engine.rulebook.put(fields, "")
    except (EditError, ConfigError) as error:
        return Refused(f"{reply.text} this once, but no rule was saved: {error}")
    return Done(f"{reply.text}, and saved as a rule")


def remembered(
    engine: Engine, record: Record, remember: Remember, allow: bool, reason: str
) -> tuple[Answers, Answer]:
    """The remembered answers with one more, and that one. Raises ValueError."""
    now_ns = engine.clock.steady_ns()
    return engine.answers.without_expired(now_ns).remember(
        record.call,
        allow=allow,
        match=remember.match.value,
        scope=remember.scope.value,
        now_ns=now_ns,
        made_ms=engine.clock.wall_ms(),
        argument=escape_name(remember.argument),
        pattern=remember.pattern,
        reason=reason,
        asked=record.verdict.rules,
    )


def check(call: Call, remember: Remember) -> None:
    """Refuse what could not be remembered before anything is decided. Raises ValueError."""
    if remember.match is Match.ARGUMENT and not remember.argument:
        raise ValueError("an argument without a name cannot be remembered apart from the others")
    if remember.match is Match.ARGUMENT and remember.argument not in call.arguments:
        raise ValueError(f"the call has no argument {remember.argument!r}")


def _check_always(engine: Engine, record: Record) -> None:
    """Refuse a rule that would not approve what is asked now. Raises ValueError."""
    policy, _ = engine.rulebook.policy(record.call.directory)
    for rule in policy.rules:
        if rule.id in record.verdict.rules and rule.looks_back():
            raise ValueError(
                f"rule {rule.id} asks because of earlier calls, which no rule can approve for "
                "always: allow it once, for this session or for 15 minutes, or change that rule"
            )


def fields_of(call: Call, remember: Remember, allow: bool, reason: str) -> JsonObject:
    """The rule that remembers an answer for always, as its table. Raises ValueError."""
    return rule_fields(
        call,
        match=remember.match.value,
        allow=allow,
        argument=escape_name(remember.argument),
        pattern=remember.pattern,
        reason=reason,
    )
