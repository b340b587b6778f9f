"""What the app writes into a config is read back the same, and shows itself to its reader."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcpwall.store.rule_tables import blocks as blocks_of
from mcpwall.store.rule_tables import change, render, same
from mcpwall.store.toml_values import item, key
from mcpwall.text import visible

ODD = st.sampled_from(
    "\x00\x07\x1b\x7f\x85\xad\u200b\u2028\u202e\u3164\ufe0f\U000e0041\n\r\t\"\\'{}[]=#.é\U0001f600"
)
TEXTS = st.text(st.characters(codec="utf-8") | ODD, max_size=12)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-5, 5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(TEXTS, VALUES)
def test_p10_what_is_written_shows_itself_and_is_read_back(name: str, value: Any) -> None:
    line = f"{key(name).as_string()} = {item(value).as_string()}"
    assert visible(line) == line
    assert same(tomllib.loads(line), {name: value})


@given(TEXTS, TEXTS)
def test_p10_so_is_what_comes_into_a_table_that_is_there(name: str, text: str) -> None:
    before = render({"id": "a", "action": "deny"})
    fields = {"id": "a", "action": "deny", "reason": text, "when": {name: text}}
    after = change(before, blocks_of(before)[0], fields)
    assert all(visible(line) == line for line in after.split("\n"))
    assert same(tomllib.loads(after), {"rules": [fields]})


def test_what_shows_itself_is_written_plainly() -> None:
    assert item("naïve 漢字 🙂").as_string() == '"naïve 漢字 🙂"'
    assert item(r"^\d+$").as_string() == r"'^\d+$'"
    assert item("a\u202eb\n").as_string() == r'"a\u202Eb\n"'
    assert key("plain-key").as_string() == "plain-key"
