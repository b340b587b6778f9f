"""What an agent gets to read of a server: what people have accepted, less what the rules hide.

A tool that changed is listed as it is pinned, one that nobody has accepted is not listed, and so
with the server's instructions: what waits for a person waits outside the model. That is not what
stops a call: the judge does that. A list that is sent again comes of the agent's asking; it is told
to ask, where the session said that the list may change.
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
        return results.with_tools(line, _shows(engine, live))
    if live.catalog.told_otherwise:
        pinned = codec.object_of(msgspec.Raw(live.server.entries[""].pinned_text))
        line = results.with_instructions(line, pinned.get("instructions", ""))
    if method == "initialize":
        live.tells_changes = results.declares_changes(line)
        withholds = live.server.waits or _hides(engine, live) is not None
        if not live.tells_changes and withholds:
            line, live.tells_changes = results.declaring_changes(line)
    return line


def withheld(engine: Engine, live: Live) -> frozenset[str]:
    """The tools of a session that its agent does not get to see as the server lists them."""
    hides, pinned = _hides(engine, live), live.catalog.is_pinned
    return frozenset(
        name
        for name, tool in live.tools.items()
        if not pinned(name) or (hides is not None and hides(tool))
    )


def refresh(engine: Engine) -> None:
    """Rules or pins have changed: agents who would be shown other tools now are to ask again."""
    for live in engine.sessions.values():
        now = withheld(engine, live)
        if now != live.withheld:
            live.withheld = now
            if live.tells_changes:
                live.tell(ASK_AGAIN)


def _hides(engine: Engine, live: Live) -> Callable[[Tool], bool] | None:
    """Whether a tool is hidden from this agent; None where nothing is."""
    policy, _ = engine.rulebook.policy(live.hello.directory)
    if not policy.hides:
        return None

    def hides(tool: Tool) -> bool:
        readings = policy.readings(question(live, tool))
        return any(policy.candidates(reading).hidden for reading in readings)

    return hides


def _shows(engine: Engine, live: Live) -> Callable[[bytes], bytes | None]:
    """What this agent gets to read for a definition's JSON; None for nothing."""
    hides = _hides(engine, live)
    server, read = live.server, engine.inventory.read
    word = engine.rulebook.config.word(server.name)

    def shows(listed: bytes) -> bytes | None:
        definition = read_definition(msgspec.Raw(listed))
        if definition is None:
            return None  # no agent can call it
        _, fingerprint = read(server.name, definition, word)
        text = server.as_pinned(definition.name, fingerprint, listed)
        if text is None or hides is None:
            return text
        definition = read_definition(msgspec.Raw(text))
        if definition is None or hides(read(server.name, definition, word)[0]):
            return None
        return text

    return shows
