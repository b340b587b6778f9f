"""Arguments as lines: all of them, exactly, and nothing that could be misread."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.policy.match import compile_glob, escape_glob
from mcpwall.text import visible, width
from mcpwall.tui.globs import literal
from mcpwall.tui.review.compare import changes, compare_rows
from mcpwall.tui.review.layout import (
    flatten,
    flowing,
    prose,
    value_rows,
    wrap,
)
from mcpwall.tui.review.pieces import count, field_pieces, field_rows, raw_pieces

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(TEXT, VALUES, max_size=4)


def values(arguments: dict[str, object], cells: int = 100) -> list[str]:
    return [row.value for row in field_rows(arguments, cells)]


def test_a_field_a_line_with_its_path() -> None:
    rows = field_rows({"path": "a.py", "edits": [{"old": "x", "new": 1}], "dry": True}, 60)
    assert [(row.name, row.value) for row in rows] == [
        ("path", '"a.py"'),
        ("edits[0].old", '"x"'),
        ("edits[0].new", "1"),
        ("dry", "true"),
    ]


def test_names_that_could_be_read_as_a_path_are_quoted() -> None:
    assert [path for path, _ in flatten({"a.b": {"c": 1}, "": 2, "x[0]": 3, "a": {"b": 4}})] == [
        '"a.b".c',
        '""',
        '"x[0]"',
        "a.b",
    ]


def test_empty_objects_and_lists_are_shown() -> None:
    assert values({"a": {}, "b": [], "c": ""}) == ["{}", "[]", '""']
    assert values({}) == ["no arguments"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("make -j8", ['"make -j8"']),
        (" make", ['"·make"']),
        ("make ", ['"make·"']),
        ("a  b c", ['"a··b·c"']),
        ("a b\tc", ['"a b␉c"'.replace(" ", "·")]),
        ("one two\nthree", ['"one·two␊', 'three"']),
        ("one\n", ['"one␊"']),
        ("\n", ['"␊"']),
        ("a·b", ['"a‹U+00B7›b"']),
        ("a␊b", ['"a‹U+240A›b"']),
    ],
)
def test_spaces_and_line_ends_are_signs_where_they_could_be_miscounted(
    text: str, shown: list[str]
) -> None:
    assert value_rows(text, 60) == shown


def test_a_text_that_wraps_shows_its_spaces() -> None:
    assert value_rows("0123456 89", 8) == ['"0123456', '·89"']


@settings(max_examples=200)
@given(TEXT, st.integers(8, 40))
def test_wrapping_keeps_every_character_and_the_width(text: str, cells: int) -> None:
    safe = visible(text)
    rows = wrap(safe, cells)
    assert "".join(rows) == safe
    assert all(width(row) <= cells for row in rows)


@settings(max_examples=200)
@given(TEXT, TEXT)
def test_different_texts_never_look_the_same(one: str, other: str) -> None:
    if one != other:
        assert value_rows(one, 30) != value_rows(other, 30)


@settings(max_examples=200)
@given(ARGUMENTS, st.integers(30, 90))
def test_p10_every_row_fits_and_is_safe(arguments: dict[str, object], cells: int) -> None:
    pieces = [*field_pieces(arguments, cells), *raw_pieces(arguments, cells)]
    for row in [row for piece in pieces for row in piece()]:
        text = row.name + " " * (row.indent - width(row.name)) + row.value
        assert width(text) <= cells
        assert all(char.isprintable() for char in text)


@settings(max_examples=100)
@given(ARGUMENTS)
def test_the_counts_are_those_of_the_leaves(arguments: dict[str, object]) -> None:
    leaves = [value for _, value in flatten(arguments)] if arguments else []
    texts = [value for value in leaves if isinstance(value, str)]
    counts = count(arguments)
    assert counts.fields == len(leaves)
    assert counts.lines == len(leaves) + sum(text.count("\n") for text in texts)


def test_hidden_characters_are_counted_in_names_and_values() -> None:
    assert count({"a\u200b": "x\x1b\u202ey", "b": "plain\n\ttext"}).hidden == 3


# --- comparison ---------------------------------------------------------------------------------


def test_fields_are_new_gone_changed_or_the_same() -> None:
    before = {"same": 1, "changed": "a", "gone": [1], "kind": 1}
    after = {"same": 1, "changed": "b", "new": {}, "kind": True}
    assert {change.path: change.mark for change in changes(before, after)} == {
        "same": "=",
        "changed": "~",
        "new": "+",
        "kind": "~",
        "gone[0]": "-",
    }


def test_of_long_texts_only_the_lines_that_differ_are_shown() -> None:
    before = {"text": "\n".join(f"line {n}" for n in range(50))}
    after = {"text": before["text"].replace("line 25", "line x")}
    rows = compare_rows(before, after, 60)
    marked = [(row.mark, row.value) for row in rows if row.mark in ("+", "-")]
    assert marked == [("-", "line·25"), ("+", "line·x")]
    assert len(rows) < 10


@settings(max_examples=100)
@given(ARGUMENTS)
def test_nothing_changed_shows_nothing_changed(arguments: dict[str, object]) -> None:
    assert {row.mark for row in compare_rows(arguments, arguments, 60)} <= {"", "="}


# --- globs --------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.text(st.sampled_from("ab*?[]!-/"), max_size=12), st.text(max_size=12))
def test_a_literal_matches_itself_and_nothing_else(name: str, other: str) -> None:
    assert literal(name) == escape_glob(name)
    matches = compile_glob(literal(name))
    assert matches(name)
    assert name == other or not matches(other)


def test_a_sentence_is_broken_between_words_and_a_long_word_where_the_row_ends() -> None:
    assert prose("one two three", 8) == ["one two", "three"]
    assert prose("a " + "x" * 20, 10) == ["a", "x" * 10, "x" * 10]
    assert prose("", 10) == [""]
    assert prose("a  b", 10) == ["a  b"]


def test_a_result_is_broken_between_words_and_keeps_its_blanks() -> None:
    assert flowing("one two three", 8) == ["one two ", "three"]
    assert flowing("one  two", 8) == ["one  two"]
    assert flowing("    if x:", 12) == ["    if x:"]
    assert flowing("eight888 nine", 8) == ["eight888", "nine"]
    assert flowing("eight888   nine", 8) == ["eight888", "  nine"]
    assert flowing("x" * 20, 10) == ["x" * 10, "x" * 10]
    assert flowing("", 10) == [""]


@given(st.text(st.sampled_from("ab  世"), max_size=60), st.integers(8, 20))
def test_a_result_in_rows_has_all_its_words_in_order(text: str, cells: int) -> None:
    rows = flowing(text, cells)
    assert all(width(row) <= cells for row in rows)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")
    assert text.count(" ") - "".join(rows).count(" ") < len(rows)
