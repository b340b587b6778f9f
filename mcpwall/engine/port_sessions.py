"""The part of the port that is about sessions: what an app sees of one, and may order.

Text in these values is foreign and raw: it passes `mcpwall.text` before a screen.
"""

from __future__ import annotations

import msgspec


class SessionRow(msgspec.Struct, frozen=True):
    """One connection of an agent to one server."""

    id: str
    agent: str
    client: str
    client_version: str
    protocol: str  # negotiated protocol version, "" before that
    server: str
    transport: str
    pid: int  # the server's process
    directory: str
    since_ms: int
    calls: int
    held: int
    ended: str = ""  # why it ended; "" while it lives
    paused: bool = False  # a person lets none of its tool calls pass


class PauseSession(msgspec.Struct, frozen=True, tag="pause_session"):
    """Let no tool call of a session pass, those that wait neither; or let it go on."""

    session: str
    on: bool


class CutSession(msgspec.Struct, frozen=True, tag="cut_session"):
    """End a session: its agent is told, its server stopped."""

    session: str
