"""The limit and the budget of a rule in its form, while the person chooses what it does. Pure."""

from __future__ import annotations

from typing import Final, TypeAlias

Texts: TypeAlias = tuple[str, ...]

FIELDS: Final = ("limit", "sum", "budget")
_NONE: Final[Texts] = ("",) * len(FIELDS)


class Bounds:
    """Says what stands in `FIELDS` after another deed was chosen.

    Who makes a limit an ask wants no limit; who comes back to a deed finds what stood there. A rule
    that asks or allows within a limit keeps it, and a rule that hides has none.
    """

    def __init__(self, deed: str) -> None:
        self._deed = deed
        self._left: dict[str, Texts] = {}

    def turn(self, deed: str, texts: Texts) -> Texts:
        """The texts for `deed`; `texts` stood there for the deed before."""
        before, self._deed = self._deed, deed
        if before == deed:
            return texts
        self._left[before] = texts
        gone = before == "limit" or deed == "hide"
        return self._left.get(deed, _NONE if gone else texts)
