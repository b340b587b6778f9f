"""What a server tells of itself, taken in: compared with its pins, announced, and acted on.

Whatever differs from its pin is stopped by the pin itself; what happens here besides is that
people are told, answers that relied on the old definition are forgotten, and calls that wait are
judged anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mcpwall.engine import showing, tool_views
from mcpwall.engine.newcomers import short
from mcpwall.engine.port import ServerEvent
from mcpwall.engine.servers import Event, Server, What
from mcpwall.store.records import By
from mcpwall.store.tool_events import ToolEvent

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.live import Live
    from mcpwall.protocol.commands import Listed

RECORDED_MAX: Final = 32 * 1024  # bytes of a definition in the record
NAMED_MAX: Final = 5  # tools that a notice names

_SAID: Final = {
    What.NEW: "{server} newly lists {names}; {they} cannot be called until you accept {them}",
    What.CHANGED: "{server} changed {names}; {they} cannot be called until you accept that",
    What.DOUBLED: "{server} lists {names} with two meanings; {they} cannot be called",
    What.BACK: "{server} lists {names} as pinned again",
}


def listed(engine: Engine, live: Live, page: Listed) -> None:
    """A page of a session's list of tools has come."""
    server = live.server
    if page.first:
        live.catalog.start()
    first_sight = page.last and not server.stored.complete
    events = engine.inventory.take(
        server,
        live.catalog,
        page.definitions,
        last=page.last,
        word=engine.rulebook.config.word(server.name),
    )
    _act(engine, server, events)
    if first_sight:
        known = sum(1 for name in server.entries if name)
        engine.newcomers.add(server.name, known)
    if page.last:
        live.withheld = showing.withheld(engine, live)
        engine.feed.publish(ServerEvent(tool_views.server_row(engine, server)))
        engine.holds.judge_again(live)


def described(engine: Engine, live: Live, instructions: str) -> None:
    """A session's server has told its instructions."""
    events = engine.inventory.describe(live.server, live.catalog, instructions)
    _act(engine, live.server, events)
    if any(event.what is not What.SEEN for event in events):
        engine.feed.publish(ServerEvent(tool_views.server_row(engine, live.server)))
        engine.holds.judge_again(live)


def accepted(engine: Engine, server: Server, events: list[Event]) -> None:
    """A person has accepted what a server says."""
    _act(engine, server, events)
    showing.refresh(engine)
    engine.feed.publish(ServerEvent(tool_views.server_row(engine, server)))
    engine.holds.judge_again()


def _act(engine: Engine, server: Server, events: list[Event]) -> None:
    """Record what happened, forget the answers that relied on it, and tell the apps in words."""
    if events:
        engine.recorder.tools([_recorded(engine, event) for event in events])
    for event in events:
        if event.what is not What.SEEN:
            engine.remember(engine.answers.without_tool(server.name, event.entry.name))
            engine.late.tool_changed(server.name, event.entry.name)
    for what, said in _SAID.items():
        names = [event.entry.name for event in events if event.what is what and event.entry.name]
        if names:
            shown = ", ".join(short(name) for name in names[:NAMED_MAX])
            more = f" and {len(names) - NAMED_MAX} more" if names[NAMED_MAX:] else ""
            they, them = ("it", "it") if len(names) == 1 else ("they", "them")
            level = "info" if what is What.BACK else "warning"
            text = said.format(server=short(server.name), names=shown + more, they=they, them=them)
            engine.notice(level, text)
    if any(event.what is What.CHANGED and not event.entry.name for event in events):
        engine.notice(
            "warning",
            f"{short(server.name)} changed its instructions; none of its tools can be called "
            "until you accept that",
        )


def _recorded(engine: Engine, event: Event) -> ToolEvent:
    entry = event.entry
    return ToolEvent(
        engine.clock.wall_ms(),
        engine.clock.steady_ns(),
        entry.server,
        entry.name,
        event.what.value,
        _text(event.before),
        _text(entry.listed_text),
        By.PERSON if event.what is What.ACCEPTED else "",
    )


def _text(definition: bytes) -> str:
    return definition.decode("utf-8", "replace") if len(definition) <= RECORDED_MAX else ""
