"""What an agent gets to see of a server's tools: its lists, less what the rules hide from it.

Hiding is not what stops a call: the judge does that. A list that is sent again after the rules
changed comes of the agent's asking; it is told to ask, where the session said that it may be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine.calls import question
from mcpwall.protocol import codec, results
from mcpwall.protocol.definitions import read_definition

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.live import Live
    from mcpwall.model import Tool

ASK_AGAIN: Final = codec.encode({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})


def shown(engine: Engine, live: Live, method: str, line: bytes) -> bytes:
    """A result of the server's as this agent gets it; `method` is what the agent had asked."""
    if method == "tools/list":
        return results.without_tools(line, _hides_raw(engine, live))
    if method == "initialize":
        live.tells_changes = results.declares_changes(line)
        if not live.tells_changes and _hides(engine, live) is not None:
            line, live.tells_changes = results.declaring_changes(line)
    return line


def hidden(engine: Engine, live: Live) -> frozenset[str]:
    """The tools of a session that its agent does not get to see."""
    hides = _hides(engine, live)
    if hides is None:
        return frozenset()
    return frozenset(name for name, tool in live.tools.items() if hides(tool))


def refresh(engine: Engine) -> None:
    """The rules have changed: agents from whom other tools are hidden now are to ask again."""
    for live in engine.sessions.values():
        now = hidden(engine, live)
        if now != live.hidden:
            live.hidden = now
            if live.tells_changes:
                live.tell(ASK_AGAIN)


def _hides(engine: Engine, live: Live) -> Callable[[Tool], bool] | None:
    """Whether a tool is hidden from this agent; None where nothing is."""
    policy, _ = engine.rulebook.policy(live.hello.directory)
    if not policy.hides:
        return None

    def hides(tool: Tool) -> bool:
        return policy.candidates(question(live, tool)).hidden

    return hides


def _hides_raw(engine: Engine, live: Live) -> Callable[[bytes], bool] | None:
    hides = _hides(engine, live)
    if hides is None:
        return None
    trusted = engine.rulebook.trusts_hints(live.server.name)

    def hides_raw(raw: bytes) -> bool:
        definition = read_definition(msgspec.Raw(raw))
        if definition is None:
            return False
        return hides(engine.inventory.read(live.server.name, definition, trusted=trusted))

    return hides_raw
