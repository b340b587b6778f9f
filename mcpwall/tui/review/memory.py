"""How long an answer would be remembered, and for which calls: the choice that `s` and `tab` make.

Pure. The narrowest is first and each step is one wider. An argument is matched as it is, never by
a pattern that the app made up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mcpwall.engine.port_answers import Match, Remember, Scope
from mcpwall.tui.globs import literal

if TYPE_CHECKING:
    from mcpwall.engine.port_calls import Held

SCOPES: tuple[Scope | None, ...] = (None, Scope.SESSION, Scope.QUARTER, Scope.ALWAYS)

_ARGUMENTS_MAX = 4  # more steps than that and nobody finds the wide ones
_VALUE_MAX = 200  # characters; a longer text is content, no name of anything
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


@dataclass(frozen=True)
class Step:
    """One width: which calls a remembered answer would answer."""

    match: Match
    argument: str = ""
    pattern: str = ""


@dataclass(frozen=True)
class Memory:
    """The choice as it stands: index into SCOPES, index into `steps`."""

    steps: tuple[Step, ...]
    scope: int = 0
    step: int = 0

    @classmethod
    def of(cls, held: Held) -> Memory:
        """The choices for a call; nothing is remembered at first."""
        return cls((Step(Match.EXACT), *_by_argument(held), Step(Match.TOOL), Step(Match.SERVER)))

    def next_scope(self) -> Memory:
        """One longer; after the longest, once again."""
        return replace(self, scope=(self.scope + 1) % len(SCOPES))

    def widen(self) -> Memory:
        """One step wider, at most all tools of the server."""
        return replace(self, step=min(self.step + 1, len(self.steps) - 1))

    def narrow(self) -> Memory:
        """One step narrower, at least exactly these arguments."""
        return replace(self, step=max(self.step - 1, 0))

    @property
    def chosen(self) -> Step:
        """The width chosen."""
        return self.steps[self.step]

    def remember(self) -> Remember | None:
        """What goes with a decision; None when it is for this one call."""
        scope = SCOPES[self.scope]
        if scope is None:
            return None
        return Remember(scope, self.chosen.match, self.chosen.argument, self.chosen.pattern)


def _by_argument(held: Held) -> list[Step]:
    """One step for each short text: that argument as it is, all others free.

    Never a wider pattern of our own making: `src/*` would match `src/../../etc/passwd`, and
    `make*` would match `make; rm -rf ~`.
    """
    texts = [
        (name, value)
        for name, value in held.arguments.items()
        if isinstance(value, str) and 0 < len(value) <= _VALUE_MAX and _nameable(name)
    ]
    if len(held.arguments) < 2:  # noqa: PLR2004 - with one argument that is the exact match again
        return []
    return [Step(Match.ARGUMENT, name, literal(value)) for name, value in texts[:_ARGUMENTS_MAX]]


def _nameable(name: str) -> bool:
    """Whether the name is an argument path as it stands (`any` stands for every text)."""
    return name != "any" and _PLAIN_NAME.fullmatch(name) is not None
