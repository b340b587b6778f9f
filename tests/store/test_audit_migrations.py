"""The runner of schema steps. There is one version now, so later ones are made up here."""

import sqlite3
from contextlib import closing

import pytest

from mcpwall.store.migrations import STEPS, SchemaVersionError, check, migrate, version


@pytest.fixture
def db():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        yield opened


def tables(db):
    return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def first(db):
    db.execute("CREATE TABLE one (x)")


def second(db):
    db.execute("CREATE TABLE two (x)")
    db.execute("INSERT INTO one VALUES (2)")


def broken(db):
    db.execute("CREATE TABLE three (x)")
    db.execute("CREATE TABLE one (x)")


def test_a_new_file_takes_every_step_in_order(db):
    migrate(db, (first, second))
    assert (version(db), tables(db)) == (2, {"one", "two"})
    check(db, (first, second))


def test_an_old_file_takes_only_the_steps_it_has_not_seen(db):
    migrate(db, (first,))
    db.execute("INSERT INTO one VALUES (1)")
    with pytest.raises(SchemaVersionError, match="version 1, this mcpwall knows 2"):
        check(db, (first, second))
    for _ in range(2):
        migrate(db, (first, second))
    assert db.execute("SELECT x FROM one").fetchall() == [(1,), (2,)]


def test_a_step_that_fails_leaves_the_file_as_it_was(db):
    migrate(db, (first,))
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, (first, second, broken))
    assert (version(db), tables(db)) == (1, {"one"})
    assert db.execute("SELECT x FROM one").fetchall() == []
    migrate(db, (first, second))
    assert version(db) == 2


def test_a_newer_file_is_left_alone(db):
    migrate(db, (first, second))
    with pytest.raises(SchemaVersionError) as raised:
        migrate(db, (first,))
    assert (raised.value.found, raised.value.known) == (2, 1)
    assert version(db) == 2


def test_todays_schema_holds_only_what_it_was_made_for(db):
    migrate(db)
    assert version(db) == len(STEPS)
    assert tables(db) == {"calls", "steps", "policies", "tool_events"}
    with pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO steps (seq, call, kind) VALUES (1, 'one', 'answered')")
