"""What agents, sessions and calls are called. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mcpwall.policy.flow import NO_PROCESS

if TYPE_CHECKING:
    from mcpwall.engine.live import Live

EPOCH_MS: Final = 1_735_689_600_000  # 2025-01-01: names of sessions stay short


def agent(name: str, pid: int, others: Sequence[Live]) -> str:
    """`name#N`: the same for all sessions of one agent's process `pid`, else a free number."""
    named = [session for session in others if session.agent.rpartition("#")[0] == name]
    for session in named:
        if session.hello.agent_pid == pid:
            return session.agent
    taken = {session.agent for session in named}
    number = 1
    while f"{name}#{number}" in taken:
        number += 1
    return f"{name}#{number}"


def run(pid: int, boot: str, client: str) -> str:
    """What an agent is to rules on earlier calls: its process, whatever it calls itself.

    Where the process is not known (over HTTP), or not which boot it is of, all agents of one name
    are one.
    """
    return f"{boot}/{pid}" if pid > 0 and boot else f"{NO_PROCESS}{client}"


def session(number: int) -> str:
    """The name of a session: `s` and its number in base 36."""
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return f"s{digits}"


def digest(method: str, server: str, tool: str, arguments: bytes) -> str:
    """SHA-256 (hex) of what a call asks for; `arguments` as JSON with its keys in order."""
    names = f"{len(method)}:{method}{len(server)}:{server}{len(tool)}:{tool}"
    return hashlib.sha256(names.encode() + arguments).hexdigest()
