"""What a person may do with one session: let none of its calls pass for a while, or end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mcpwall.engine.port import Done, Refused, Reply
from mcpwall.engine.port_sessions import CutSession, PauseSession
from mcpwall.model import DENY, TOOLS_CALL, Call, Cause, Verdict

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.live import Live

PAUSED: Final = (
    "The user paused this session: none of its tools can be called until they let it go on."
)
LOCKED_TOO: Final = " The wall is locked down too: letting this session go on is not enough."
CUT: Final = "the user cut this session off"


def paused(live: Live, call: Call, policy: str) -> Verdict | None:
    """The verdict on a call of a session that a person paused; None for any other."""
    if live.paused and call.method == TOOLS_CALL:
        reason = PAUSED + LOCKED_TOO * live.engine.lockdown.on
        return Verdict(DENY, Cause.PAUSED, reason=reason, policy=policy)
    return None


def pause(engine: Engine, command: PauseSession) -> Reply:
    """Refuse the tool calls of a session, those that wait too, or no more. Outlives the engine."""
    live = engine.sessions.get(command.session)
    if live is None:
        return Refused("this session is over")
    live.paused = command.on
    live.remember()
    if command.on:
        engine.late.forget("its session was paused", live)
        engine.holds.judge_again(live)
    live.publish()
    return Done(f"{live.agent} → {live.server.name} {'is paused' if command.on else 'goes on'}")


def cut(engine: Engine, command: CutSession) -> Reply:
    """End a session: its agent is told, its server stopped."""
    live = engine.sessions.get(command.session)
    if live is None:
        return Refused("this session is over")
    live.hang_up(CUT)
    return Done(f"{live.agent} → {live.server.name} is cut off")
