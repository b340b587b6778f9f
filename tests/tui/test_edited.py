"""Arguments as text to edit: exact, visible, and read back strictly."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.tui.review.edited import WrittenError, escaped, read, write
from tests.tui.hostile import CONTROL

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON, max_size=5))
def test_p02_what_is_written_is_read_back_the_same(arguments: dict[str, object]) -> None:
    assert read(write(arguments)) == arguments


@given(st.text())
def test_p10_every_character_in_the_editor_can_be_seen(text: str) -> None:
    shown = escaped(text)
    assert not {unicodedata.category(char) for char in shown.replace("\n", "")} & {
        "Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp",
    }  # fmt: skip


def test_what_cannot_be_seen_stands_as_its_escape() -> None:
    assert "\\u202e" in write({"a": CONTROL})
    assert "\\u001b" in escaped("\x1b")
    assert write({"é": "漢字 ok"}) == '{\n  "é": "漢字 ok"\n}'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1 "b": 2}', "line 1, column 9"),
        ('{\n "a": x}', "line 2, column 7"),
        ('{"a": 1, "a": 2}', '"a" stands twice'),
        ('{"b": {"a": 1, "a": 2}}', '"a" stands twice'),
        ("[1]", "the arguments are one JSON object"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": 1e999}', "1e999 is out of range"),
        ('{"a": "\\ud800"}', "surrogate"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nest too deeply"),
        ('{"a": ' + "9" * 5_000 + "}", "digits"),
    ],
)
def test_what_is_no_object_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(WrittenError, match=r".*") as raised:
        read(text)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", (0, 0), "a value belongs here; texts stand in double quotes"),
        ('{"path": notes}', (0, 9), "a value belongs here; texts stand in double quotes"),
        (
            "{'path': 1}",
            (0, 1),
            "a name in double quotes belongs here; after the last value no comma",
        ),
        ('{"a": 1\n "b": 2}', (1, 1), "a comma, or the closing bracket, belongs here"),
        ('{"a" 1}', (0, 5), "a colon belongs between a name and its value"),
        ('{\n  "a": "x}', (1, 7), "the text that begins here has no closing quote"),
        ('{"a": "x\ny"}', (0, 8), r"a line end within a text is written \n, a tab \t"),
        (r'{"a": "\q"}', (0, 7), r"a backslash within a text is written \\"),
        ('{"a": 1} x', (0, 9), "nothing may follow the last bracket"),
    ],
)
def test_a_text_that_is_no_json_is_told_what_to_write_and_where(
    text: str, place: tuple[int, int], words: str
) -> None:
    with pytest.raises(WrittenError) as raised:
        read(text)
    line, column = place[0] + 1, place[1] + 1
    where = f"none at line {line}, column {column}: "
    assert str(raised.value) == f"the arguments are JSON, and this is {where}{words}"
    assert raised.value.place == place
