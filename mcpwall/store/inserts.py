"""The statements that put rows into the audit's tables. Pure.

`sqlite3` binds texts and numbers at once, but looks in three places for an adapter of each None and
each `bytes`: two thirds of the time that a row takes. So empty columns are left out, and are NULL
all the same; and a chain goes in as a `bytearray`, which it binds at once.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

Values: TypeAlias = tuple[Any, ...]
Insert: TypeAlias = tuple[str, Values]  # a statement, and what it takes


class _Shape(NamedTuple):
    """Rows that have the same columns filled: their statement, those columns, how many are not."""

    sql: str
    filled: Callable[[Values], Values]
    empty: int


class Table:
    """A table to add rows to: its `columns`, and behind them its chain."""

    def __init__(self, name: str, columns: tuple[str, ...]) -> None:
        self._name = name
        self._columns = (*columns, "chain")
        self._shapes: dict[tuple[int, ...], _Shape] = {}
        self._last = self._shape(self._columns)

    def row(self, values: Values, chain: bytes) -> Insert:
        """What adds a row of these values and this chain."""
        whole = (*values, bytearray(chain))
        shape = self._last  # most rows are like the one before
        filled = shape.filled(whole)
        if None in filled or whole.count(None) != shape.empty:
            shape = self._last = self._shape(whole)
            filled = shape.filled(whole)
        return shape.sql, filled

    def _shape(self, whole: Values) -> _Shape:
        places = tuple(at for at, value in enumerate(whole) if value is not None)
        shape = self._shapes.get(places)
        if shape is None:
            names = ", ".join(self._columns[at] for at in places)
            marks = ", ".join("?" * len(places))
            sql = f"INSERT INTO {self._name} ({names}) VALUES ({marks})"  # noqa: S608 - constants
            empty = len(whole) - len(places)
            shape = self._shapes[places] = _Shape(sql, itemgetter(*places), empty)
        return shape


def run(db: sqlite3.Connection, rows: Iterable[Insert]) -> None:
    """Add rows in their order, those of one kind that stand together in one go."""
    for sql, alike in groupby(rows, itemgetter(0)):
        db.executemany(sql, [values for _, values in alike])
