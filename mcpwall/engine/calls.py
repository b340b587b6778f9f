"""What the judge sees of a request: who calls what, with which arguments, at what risk. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine import naming
from mcpwall.model import TOOLS_CALL, Call, Reach, Risk, Tool, Traits
from mcpwall.protocol.codec import canonical

if TYPE_CHECKING:
    from mcpwall.engine.live import Live
    from mcpwall.protocol.requests import Request

_PLAIN: Final = Risk.READ, Traits()  # a request that is no tool call
_UNLISTED: Final = Risk.UNKNOWN, Traits(reach=Reach.NET)  # nothing is known of it


def call_of(live: Live, request: Request, number: int, at_ms: int) -> tuple[Call, bytes]:
    """Call `number` of a session, and its arguments as JSON with their keys in order."""
    tool = live.tools.get(request.subject) if request.method == TOOLS_CALL else None
    if tool is not None:
        risk, traits = tool.risk, tool.traits
    else:
        risk, traits = _UNLISTED if request.method == TOOLS_CALL else _PLAIN
    arguments = canonical(request.arguments)
    client, server = live.protocol.parties.client, live.server.name
    call = Call(
        number,
        at_ms,
        live.id,
        live.agent,
        client,
        server,
        request.method,
        request.subject,
        request.arguments,
        risk,
        naming.digest(request.method, server, request.subject, arguments),
        live.hello.directory,
        naming.run(live.hello.agent_pid, live.engine.clock.boot, client),
        traits.reach,
        traits.reads,
    )
    return call, arguments


def question(live: Live, tool: Tool) -> Call:
    """A call that nobody makes: by what names and risk the rules would look at one of this tool."""
    client = live.protocol.parties.client
    return Call(
        *(0, 0, live.id, live.agent, client, tool.server, TOOLS_CALL, tool.name, {}, tool.risk),
        *("", live.hello.directory, "", tool.traits.reach, tool.traits.reads),
    )


def weighed(call: Call, tool: Tool | None) -> Call:
    """The call with the risk of its tool as it is now, should that be another one."""
    if call.method != TOOLS_CALL or tool is None:
        return call
    now = (tool.risk, tool.traits.reach, tool.traits.reads)
    if now == (call.risk, call.reach, call.reads):
        return call
    return msgspec.structs.replace(call, risk=now[0], reach=now[1], reads=now[2])
