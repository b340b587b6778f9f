"""What the wall calls a server: one name for one command, whichever agent starts it. Pure."""

from __future__ import annotations

import re
from collections.abc import Hashable

NAME_MAX = 64


def plain(name: str) -> str:
    """A name that is a rule's pattern for itself, a word of a command line and part of a URL."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")
    return safe[:NAME_MAX] or "server"


class Names:
    """The names given so far. `what` is what a name stands for: a command, or a URL."""

    def __init__(self) -> None:
        self._given: dict[str, Hashable] = {}

    def take(self, name: str, what: Hashable) -> None:
        """A name that is in use already."""
        self._given.setdefault(name, what)

    def give(self, wanted: str, agent: str, what: Hashable) -> str:
        """The name for `what`: the wanted one, unless that stands for something else already."""
        base = plain(wanted)
        candidates = [base, f"{base}-{agent}"]
        candidates += [f"{base}-{number}" for number in range(2, len(self._given) + 3)]
        name = next(c for c in candidates if self._given.get(c, what) == what)
        self._given[name] = what
        return name
