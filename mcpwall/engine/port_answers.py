"""The part of the port that is about a call that waits: what a person may say to it.

A decision quotes what the person saw; arguments can be edited first, and an answer remembered.
"""

from __future__ import annotations

import enum

import msgspec

from mcpwall.model import JsonObject


class Scope(enum.StrEnum):
    """How long an answer is remembered."""

    SESSION = "session"
    QUARTER = "15m"
    ALWAYS = "always"  # becomes a rule in config.toml


class Match(enum.StrEnum):
    """Which calls a remembered answer answers, narrowest first."""

    EXACT = "exact"  # exactly these arguments
    ARGUMENT = "argument"  # one argument by glob, all others free
    TOOL = "tool"  # any call of this tool
    SERVER = "server"  # any tool of this server


class Remember(msgspec.Struct, frozen=True):
    scope: Scope
    match: Match = Match.EXACT
    argument: str = ""  # with Match.ARGUMENT
    pattern: str = ""  # a glob, with Match.ARGUMENT


class Decide(msgspec.Struct, frozen=True, tag="decide"):
    """A person's answer to a held call; refused if digest or revision is not the held call's."""

    call: int
    digest: str
    revision: int
    allow: bool
    reason: str = ""  # reaches the model when denied
    remember: Remember | None = None
    edited: str = ""  # digest of an edit that CheckEdit took: run it in place of what was asked


class CheckEdit(msgspec.Struct, frozen=True, tag="check_edit"):
    """Arguments that a person wrote in place of a held call's; decides nothing. -> EditChecked"""

    call: int
    digest: str
    revision: int
    arguments: JsonObject


class Reveal(msgspec.Struct, frozen=True, tag="reveal"):
    """Show the secrets in a waiting call; `digest` as shown. -> Revealed"""

    call: int
    digest: str


class EditChecked(msgspec.Struct, frozen=True, tag="edit_checked"):
    """The edit fits the tool's schema and no rule denies it: `Decide.edited` may quote `digest`.

    `arguments` are what would be forwarded; `size` is theirs in bytes.
    """

    arguments: JsonObject
    digest: str
    size: int
    flags: tuple[str, ...] = ()


class Revealed(msgspec.Struct, frozen=True, tag="revealed"):
    """The arguments of a waiting call as they will run, secrets included: for the screen alone."""

    arguments: JsonObject
