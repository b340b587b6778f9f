"""What a verdict depends on besides the call and the rules. Values alone."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from mcpwall.policy.answers import Answers
from mcpwall.policy.flow import Flows
from mcpwall.policy.limits import Limits
from mcpwall.policy.operators import Resolve


class ToolState(enum.StrEnum):
    """Whether the tool of a call may be called at all."""

    LISTED = "listed"  # as the server listed it and, where needed, a person accepted it
    UNLISTED = "unlisted"  # the server never listed it
    DOUBLED = "doubled"  # the server listed it with two meanings
    NEW = "new"  # it came to a server that was known, and nobody has accepted it yet
    CHANGED = "changed"  # its definition changed and nobody has accepted it yet
    SERVER_CHANGED = "server_changed"  # so did the instructions of its server


LISTED: Final = ToolState.LISTED  # by a name of its own, as in `model`


class State(msgspec.Struct, frozen=True, gc=False):
    """All that a verdict depends on besides the call and the rules.

    `now_ns` is a clock that never jumps. `approved`: a person has just approved this very call.
    `resolve` takes the text of a path and a directory, and gives the absolute path with `~`,
    `..`, `file:` and symlinks resolved and `/` between its parts; it may raise OSError,
    ValueError or RuntimeError, which makes a condition that cannot be evaluated.
    """

    now_ns: int
    limits: Limits
    flows: Flows
    answers: Answers
    lockdown: bool
    tool: ToolState
    approved: bool
    resolve: Resolve
