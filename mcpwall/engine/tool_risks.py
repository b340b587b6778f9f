"""The classes of risk that a person gives to tools: set, and taken over where calls are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.engine import tool_commands, tool_views
from mcpwall.engine.calls import weighed
from mcpwall.engine.port import Refused, Reply
from mcpwall.engine.port_tools import Classified, Classify
from mcpwall.model import Action
from mcpwall.policy.set_risk import Risks, Word, changed
from mcpwall.store.difference import diff
from mcpwall.store.edit import set_risk

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine


def classify(engine: Engine, command: Classify) -> Reply:
    """Say what another class of a tool would change, and set it if that is ordered.

    Raises EditError, ConfigError.
    """
    found = tool_commands.find(engine, command.server, command.tool)
    if isinstance(found, Refused):
        return found
    if not command.tool:
        return Refused("choose a tool: a server has no class of its own")
    server, entry = found
    old, policy = engine.rulebook.config, engine.rulebook.own
    new = set_risk(old, server.name, entry.name, command.risk)
    if command.apply and new is old:
        return Refused("it is set so already")
    before, after = (
        tool_views.row_of(entry, engine.inventory.tool(entry, config.word(server.name)), policy)
        for config in (old, new)
    )
    let_go = _let_go(engine, new.word(server.name), server.name, entry.name)
    if command.apply:
        engine.rulebook.set_risk(server.name, entry.name, command.risk)
    return Classified(before, after, let_go, diff(old, new), command.apply)


def _let_go(engine: Engine, word: Word, server: str, tool: str) -> int:
    """How many calls of a tool wait that would be allowed by the classes of `word`."""
    count = 0
    for hold in engine.holds:
        call, listed = hold.record.call, hold.live.catalog.as_found(tool)
        if listed is not None and (call.server, call.tool) == (server, tool):
            now = weighed(call, word.on(listed))
            count += engine.verdict(hold.live, now).action is Action.ALLOW
    return count


def take_over(engine: Engine, before: Risks) -> None:
    """Have all sessions go by the classes that are set now; `before` are those set until now.

    Answers that were remembered for a tool of another class are forgotten: a person gave them to
    what they took the tool for then.
    """
    for live in engine.sessions.values():
        live.catalog.weigh(engine.rulebook.config.word(live.server.name))
    for server, tool in changed(before, engine.rulebook.config.risks):
        engine.answers = engine.answers.without_tool(server, tool)
