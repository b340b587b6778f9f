"""The statements that put rows into the audit's tables. Pure.

`sqlite3` binds texts and numbers at once, but looks in three places for an adapter of each None and
each `bytes`: two thirds of the time that a row takes. So columns that most rows leave empty are
left out where they are, and are NULL all the same; and a chain goes in as a `bytearray`.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

Values: TypeAlias = tuple[Any, ...]
Insert: TypeAlias = tuple[str, Values]  # a statement, and what it takes


class Table:
    """A table to add rows to: its `columns`, and behind them its chain.

    `rare` are the columns, two at least, that most rows leave empty.
    """

    def __init__(self, name: str, columns: tuple[str, ...], rare: tuple[str, ...]) -> None:
        common = tuple(column for column in columns if column not in rare)
        self._rare = itemgetter(*map(columns.index, rare))
        self._common = itemgetter(*map(columns.index, common))
        self._none = (None,) * len(rare)
        self._short = statement(name, common)
        self._whole = statement(name, columns)

    def row(self, values: Values, chain: bytes) -> Insert:
        """What adds a row of these values and this chain."""
        if self._rare(values) == self._none:
            return self._short, (*self._common(values), bytearray(chain))
        return self._whole, (*values, bytearray(chain))


def statement(table: str, columns: tuple[str, ...]) -> str:
    """What adds a row of these columns and its chain."""
    names, marks = ", ".join((*columns, "chain")), ", ".join("?" * (len(columns) + 1))
    return f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - constants


def run(db: sqlite3.Connection, rows: Iterable[Insert]) -> None:
    """Add rows in their order, those of one kind that stand together in one go."""
    for sql, alike in groupby(rows, itemgetter(0)):
        db.executemany(sql, [values for _, values in alike])
