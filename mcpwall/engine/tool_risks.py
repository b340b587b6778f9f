"""The classes of risk that a person gives to tools: taken over where calls are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.policy.set_risk import Risks, changed

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine


def take_over(engine: Engine, before: Risks) -> None:
    """Have all sessions go by the classes that are set now; `before` are those set until now.

    Answers that were remembered for a tool of another class are forgotten: a person gave them to
    what they took the tool for then.
    """
    for live in engine.sessions.values():
        live.catalog.weigh(engine.rulebook.word(live.server.name))
    for server, tool in changed(before, engine.rulebook.config.risks):
        engine.answers = engine.answers.without_tool(server, tool)
