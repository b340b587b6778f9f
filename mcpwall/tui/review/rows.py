"""Rows that are made piece by piece: the first are there at once, however many there are. Pure.

A piece makes the same rows whenever it is asked. What is kept of one is how many they are, and the
rows of the last few, so a text of megabytes takes the room of what is on screen.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, TypeAlias

from mcpwall.tui.review.layout import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Piece: TypeAlias = "Callable[[], Sequence[Row]]"

_KEPT = 4  # pieces whose rows are kept: a window reaches over two, seldom more


class Rows:
    """The rows of `pieces` as far as they are laid out; `whole` says that all of them are."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._coming = iter(pieces)
        self._next = next(self._coming, None)
        self._pieces: list[Piece] = []
        self._ends: list[int] = []  # how many rows there are up to the end of each
        self._made: dict[int, Sequence[Row]] = {}

    @property
    def whole(self) -> bool:
        """Whether every piece is laid out."""
        return self._next is None

    def lay_out(self, pieces: int) -> None:
        """Lay out so many pieces more."""
        while self._next is not None and pieces > 0:
            self._pieces.append(self._next)
            self._ends.append(len(self) + len(self._rows(len(self._pieces) - 1)))
            self._next = next(self._coming, None)
            pieces -= 1

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, at: int) -> Row:
        number = bisect_right(self._ends, at)
        if not 0 <= at < len(self):
            raise IndexError(at)
        return self._rows(number)[at - (self._ends[number - 1] if number else 0)]

    def _rows(self, number: int) -> Sequence[Row]:
        if number not in self._made:
            if len(self._made) >= _KEPT:
                del self._made[next(iter(self._made))]
            self._made[number] = self._pieces[number]()
        return self._made[number]
