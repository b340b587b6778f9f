"""What an app may order: each command of the port, carried out on the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine import sessions, tool_commands, tool_risks, tool_rules, views
from mcpwall.engine.port import (
    CallDetails,
    Details,
    Done,
    Lockdown,
    Order,
    Ping,
    Refused,
    Reply,
    StatusEvent,
    Stop,
)
from mcpwall.engine.port_answers import Decide, Match, Remember, Reveal, Scope
from mcpwall.engine.port_rules import (
    AcceptEdit,
    DropRule,
    Preview,
    Previewed,
    PutRule,
    ToggleRule,
    Undo,
)
from mcpwall.engine.port_sessions import CutSession, PauseSession
from mcpwall.engine.port_tools import (
    AcceptServer,
    AcceptTool,
    Block,
    Classify,
    Hide,
    Inspect,
    Recommend,
)
from mcpwall.model import Call, JsonObject, Verdict
from mcpwall.policy.answers import Answer, Answers, covers, rule_fields
from mcpwall.policy.arguments import escape_name
from mcpwall.policy.compiled import Compiled
from mcpwall.policy.preview import matched, preview
from mcpwall.store.config import Config, ConfigError
from mcpwall.store.difference import diff
from mcpwall.store.edit import EditError, drop_rule, put_rule

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.records import Record

PREVIEWED: Final = 500  # calls that a preview judges again


def carry_out(engine: Engine, command: Order) -> Reply:
    """Do what an app orders. Nothing is changed when the reply is `Refused`."""
    try:
        return _carry_out(engine, command)
    except (EditError, ConfigError, ValueError) as error:
        return Refused(str(error))


def _carry_out(engine: Engine, command: Order) -> Reply:
    book = engine.rulebook
    match command:
        case Decide():
            return _decide(engine, command)
        case PutRule(fields, replaces):
            book.put(fields, replaces)
            return Done("saved")
        case DropRule(rule):
            if any(answer.id == rule for answer in engine.answers.list()):
                engine.answers = engine.answers.without(rule)
                engine.rules_shown()
                return Done("forgotten")
            book.drop(rule)
            return Done("deleted")
        case ToggleRule(rule, enabled):
            book.toggle(rule, enabled=enabled)
            return Done("on" if enabled else "off")
        case Undo(redo):
            book.undo(redo=redo)
            return Done("done again" if redo else "undone")
        case Lockdown(on):
            return _lockdown(engine, on=on)
        case AcceptEdit(text_hash, accept):
            book.answer_outside_edit(text_hash, accept=accept)
            return Done("accepted" if accept else "the rules in force are written back")
        case Reveal():
            return engine.holds.reveal(command)
        case Preview():
            return _preview(engine, command)
        case PauseSession():
            return sessions.pause(engine, command)
        case CutSession():
            return sessions.cut(engine, command)
        case Details(call):
            found: CallDetails | None = views.details(engine, call)
            return found or Refused(f"the record has no call {call}")
        case Inspect():
            return tool_commands.inspect(engine, command)
        case AcceptTool():
            return tool_commands.accept_tool(engine, command)
        case AcceptServer():
            return tool_commands.accept_server(engine, command)
        case Hide() | Block():
            return tool_rules.stop(engine, command)
        case Recommend():
            return tool_rules.recommend(engine, command)
        case Classify():
            return tool_risks.classify(engine, command)
        case Ping():
            return Done()
        case Stop():
            engine.on_stop()
            return Done("stopping")


def _lockdown(engine: Engine, *, on: bool) -> Done:
    fault = engine.lockdown.set(on)
    if on:
        engine.holds.judge_again()
    engine.feed.publish(StatusEvent(views.status(engine)))
    said = "locked down: no tool can be called" if on else "the lockdown is lifted"
    return Done(f"{said}, until the engine is started again ({fault})" if fault else said)


def _decide(engine: Engine, command: Decide) -> Reply:
    hold, remember = engine.holds.get(command.call), command.remember
    if hold is None or remember is None:
        return engine.holds.decide(command)
    record, call = hold.record, hold.record.call
    _check(call, remember)
    if remember.scope is Scope.ALWAYS:
        if record.shown and remember.match is Match.EXACT:
            raise ValueError(
                "these arguments hold a secret, which a rule would write to config.toml: remember "
                "the tool, or this call for the session or 15 minutes"
            )
        if command.allow:
            _check_always(engine, record)
        fields = _fields(call, remember, command.allow, command.reason)
        put_rule(engine.rulebook.config, fields)  # what cannot be saved raises before it decides
        reply = engine.holds.decide(command)
        return _save(engine, fields, reply) if isinstance(reply, Done) else reply
    answers, answer = _remember(engine, record, remember, command.allow, command.reason)
    reply = engine.holds.decide(command)
    if not isinstance(reply, Done):
        return reply
    engine.answers = answers
    engine.holds.answered()
    engine.rules_shown()
    return Done(f"{reply.text}, and remembered as {answer.id}")


def _save(engine: Engine, fields: JsonObject, reply: Done) -> Reply:
    """Make a rule of an answer that was carried out."""
    try:
        engine.rulebook.put(fields, "")
    except (EditError, ConfigError) as error:
        return Refused(f"{reply.text} this once, but no rule was saved: {error}")
    return Done(f"{reply.text}, and saved as a rule")


def _remember(
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


def _check(call: Call, remember: Remember) -> None:
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


def _fields(call: Call, remember: Remember, allow: bool, reason: str) -> JsonObject:
    return rule_fields(
        call,
        match=remember.match.value,
        allow=allow,
        argument=escape_name(remember.argument),
        pattern=remember.pattern,
        reason=reason,
    )


# --- previews -----------------------------------------------------------------------------------


def _preview(engine: Engine, command: Preview) -> Reply:
    calls = [pair for pair in _last_calls(engine) if pair[0].id != command.call]
    old = engine.rulebook.config
    if command.remember is not None:
        return _preview_answer(engine, command, calls)
    if command.fields is not None:
        new = put_rule(old, command.fields, command.replaces)
    elif command.replaces:
        new = drop_rule(old, command.replaces)
    else:
        return Refused("a preview needs a rule or an answer")
    in_force, changed = (c.policy() for c in (old, new))
    changes = preview(calls, in_force, changed, engine.resolve)
    return Previewed(
        len(calls),
        _matched(engine, new, command, calls),
        changes.denied,
        changes.limited,
        changes.asked,
        changes.allowed,
        diff(old, new),
    )


def _preview_answer(engine: Engine, command: Preview, calls: list[tuple[Call, Verdict]]) -> Reply:
    record = engine.records.get(command.call)
    if record is None or command.remember is None:
        return Refused("the call is no longer remembered")
    remember = command.remember
    _check(record.call, remember)
    if remember.scope is Scope.ALWAYS:
        fields = _fields(record.call, remember, True, "")
        new = put_rule(engine.rulebook.config, fields)
        text = diff(engine.rulebook.config, new)
    else:
        text = ""
    anyhow = msgspec.structs.replace(remember, scope=Scope.QUARTER)  # not of one session alone
    _, answer = _remember(engine, record, anyhow, True, "")
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
