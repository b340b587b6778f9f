"""Rows come out of a table as they were put in, whichever of their columns are empty."""

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from mcpwall.store.inserts import Table, run

COLUMNS = ("seq", "name", "number", "note")
CHAIN = bytes(range(32))
VALUES = st.tuples(
    st.just(0),
    st.none() | st.text(alphabet="ab"),
    st.none() | st.integers(0, 9),
    st.none() | st.just(""),
)


@given(st.lists(VALUES, max_size=20))
def test_every_row_is_stored_whole_and_in_order(rows):
    rows = [(seq, *rest) for seq, (_, *rest) in enumerate(rows, 1)]
    table = Table("rows", COLUMNS, rare=("name", "note"))
    db = sqlite3.connect(":memory:")
    db.execute(
        "CREATE TABLE rows (seq INTEGER PRIMARY KEY, name TEXT, number INTEGER, note TEXT, "
        "chain BLOB NOT NULL) STRICT"
    )
    run(db, [table.row(values, CHAIN) for values in rows])
    assert db.execute("SELECT * FROM rows ORDER BY rowid").fetchall() == [
        (*values, CHAIN) for values in rows
    ]
    db.close()


def test_rows_without_rare_columns_bind_no_none():
    table = Table("rows", COLUMNS, rare=("name", "note"))
    (sql, values), (other, _) = (table.row((n, None, 3, None), CHAIN) for n in (1, 2))
    assert sql == other
    assert None not in values
