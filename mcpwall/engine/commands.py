"""What an app may order: each command of the port, carried out on the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.engine import (
    forgetting,
    previews,
    remembering,
    sessions,
    tool_commands,
    tool_risks,
    tool_rules,
    views,
)
from mcpwall.engine.port import Done, Lockdown, Order, Ping, Refused, Reply, StatusEvent, Stop
from mcpwall.engine.port_answers import Decide, Reveal
from mcpwall.engine.port_calls import CallDetails, Details, Older
from mcpwall.engine.port_rules import (
    AcceptEdit,
    DropRule,
    Preview,
    PutRule,
    ToggleRule,
    Undo,
)
from mcpwall.engine.port_servers import ForgetServer
from mcpwall.engine.port_sessions import CutSession, PauseSession
from mcpwall.engine.port_tools import (
    AcceptServer,
    AcceptTool,
    Block,
    Classify,
    Hide,
    Inspect,
    MatchTools,
    Recommend,
)
from mcpwall.store.config import ConfigError
from mcpwall.store.difference import other_rule
from mcpwall.store.edit import EditError

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine


def carry_out(engine: Engine, command: Order) -> Reply:
    """Do what an app orders; `Refused` says why that cannot be done, or not all of it."""
    try:
        return _carry_out(engine, command)
    except (EditError, ConfigError, ValueError) as error:
        return Refused(str(error))


def _carry_out(engine: Engine, command: Order) -> Reply:
    book = engine.rulebook
    match command:
        case Decide():
            return remembering.decide(engine, command)
        case PutRule(fields, replaces):
            before = book.config
            book.put(fields, replaces)
            return Done("saved", other_rule(before, book.config) or replaces)
        case DropRule(rule):
            if any(answer.id == rule for answer in engine.answers.list()):
                engine.remember(engine.answers.without(rule))
                return Done("forgotten")
            book.drop(rule)
            return Done("deleted")
        case ToggleRule(rule, enabled):
            book.toggle(rule, enabled=enabled)
            return Done("on" if enabled else "off")
        case Undo(redo):
            before = book.config
            book.undo(redo=redo)
            said = "done again" if redo else "undone"
            return Done(said, other_rule(before, book.config))
        case Lockdown(on):
            return _lockdown(engine, on=on)
        case AcceptEdit(text_hash, accept):
            book.answer_outside_edit(text_hash, accept=accept)
            return Done("accepted" if accept else "the rules in force are written back")
        case Reveal():
            return engine.holds.reveal(command)
        case Preview():
            return previews.preview(engine, command)
        case PauseSession():
            return sessions.pause(engine, command)
        case CutSession():
            return sessions.cut(engine, command)
        case Details(call):
            found: CallDetails | None = views.details(engine, call)
            return found or Refused(f"the record has no call {call}")
        case Older(before):
            return views.older(engine, before)
        case Inspect():
            return tool_commands.inspect(engine, command)
        case AcceptTool():
            return tool_commands.accept_tool(engine, command)
        case AcceptServer():
            return tool_commands.accept_server(engine, command)
        case ForgetServer():
            return forgetting.forget(engine, command)
        case Hide() | Block():
            return tool_rules.stop(engine, command)
        case Recommend():
            return tool_rules.recommend(engine, command)
        case MatchTools():
            return tool_rules.match(engine, command)
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
