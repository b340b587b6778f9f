"""The part of the port that is about one session, at a person's order."""

from __future__ import annotations

import msgspec


class PauseSession(msgspec.Struct, frozen=True, tag="pause_session"):
    """Let no tool call of a session pass, those that wait neither; or let it go on."""

    session: str
    on: bool


class CutSession(msgspec.Struct, frozen=True, tag="cut_session"):
    """End a session: its agent is told, its server stopped."""

    session: str
