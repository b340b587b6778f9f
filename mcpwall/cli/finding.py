"""One thing that `mcpwall doctor` looked at, and what to do about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How bad it is. Only `WRONG` makes the doctor's exit code 1."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """`topic` is what was looked at, `text` how it is, `todo` what to do.

    `said` is the end of what a program said about it. All may hold foreign text.
    """

    topic: str
    level: Level
    text: str
    todo: str = ""
    said: str = ""


def ok(topic: str, text: str) -> Finding:
    """All is well."""
    return Finding(topic, Level.OK, text)


def note(topic: str, text: str, todo: str = "") -> Finding:
    """Worth knowing, not wrong."""
    return Finding(topic, Level.NOTE, text, todo)


def wrong(topic: str, text: str, todo: str, said: str = "") -> Finding:
    """To be mended."""
    return Finding(topic, Level.WRONG, text, todo, said)
