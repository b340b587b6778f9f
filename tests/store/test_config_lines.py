"""Where keys stand, for every way TOML has of writing them."""

import json
import tomllib

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.store.toml_lines import positions

EVERY_FORM = '''\
# a comment = 1
top = 1
[defaults] # [[rules]]
read = "allow"

[[rules]]
id = "one"
tool = [
  "a", # ], "b"
  "c",
]
reason = """
[not.a.table]
key = 1
"""
when = { path = { glob = "}" }, "user.name" = 'x # y' }
[[rules]]
when.amount.gt = 5
when . "a\\u0062" . lt = 1979-05-27 07:32:00
  [rules.when.size]
  length = { gt = 1, lt = 3 }
[servers."my server".env]
A = "1"
[[rules]]
id = """quotes ""\\""""
budget = {sum="x",max=1}
raw = \'\'\'\'it\'s\'\'\'
last = true'''


def test_each_form_of_key_has_its_own_line():
    tomllib.loads(EVERY_FORM)
    lines = positions(EVERY_FORM).lines
    assert lines["top",] == 2
    assert lines["defaults",] == 3
    assert lines["defaults", "read"] == 4
    assert lines["rules",] == 6
    assert lines["rules", 0] == 6
    assert lines["rules", 0, "tool"] == 8
    assert lines["rules", 0, "tool", 1] == 10
    assert lines["rules", 0, "reason"] == 12
    assert lines["rules", 0, "when", "path", "glob"] == 16
    assert lines["rules", 0, "when", "user.name"] == 16
    assert lines["rules", 1] == 17
    assert lines["rules", 1, "when"] == 18
    assert lines["rules", 1, "when", "amount", "gt"] == 18
    assert lines["rules", 1, "when", "ab", "lt"] == 19
    assert lines["rules", 1, "when", "size"] == 20
    assert lines["rules", 1, "when", "size", "length", "lt"] == 21
    assert lines["servers", "my server", "env", "A"] == 23
    assert lines["rules", 2] == 24
    assert lines["rules", 2, "budget", "max"] == 26
    assert lines["rules", 2, "last"] == 28
    assert ("not",) not in lines
    assert ("key",) not in lines


def test_line_of_what_is_not_written_is_that_of_the_table_around_it():
    places = positions(EVERY_FORM)
    assert places.line(("rules", 1, "when", "size", "nothing")) == 20
    assert places.line(("rules", 2, "action")) == 24
    assert places.line(("nothing",)) == 1


def test_headers_know_where_the_text_before_them_ends():
    headers = positions(EVERY_FORM).headers
    assert [(h.line, h.array, h.after) for h in headers] == [
        (3, False, 2),
        (6, True, 4),
        (17, True, 16),
        (20, False, 19),
        (22, False, 21),
        (24, True, 23),
    ]
    assert positions(EVERY_FORM).end == 28


def test_line_ends_of_windows_count_once():
    lines = positions(EVERY_FORM.replace("\n", "\r\n")).lines
    assert lines == positions(EVERY_FORM).lines


WORDS = st.text(alphabet="ab.\"'#=[]{} \\\nä", max_size=6)
LEAVES = st.booleans() | st.integers(-5, 5) | st.floats(0, 9) | WORDS | st.datetimes()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS, inner, max_size=3)
        | st.lists(st.dictionaries(WORDS, inner, min_size=1, max_size=3), min_size=1, max_size=3)
    ),
    max_leaves=12,
)


def paths(value, at=()):
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if isinstance(inner, dict | list):
            yield from paths(inner, (*at, key))
        else:
            yield (*at, key)


def key_on(line, key):
    """Whether the line has the key, bare or quoted."""
    return key in line or json.dumps(key, ensure_ascii=False).strip('"') in line


@given(st.dictionaries(WORDS, VALUES, max_size=4), st.booleans())
def test_every_key_of_any_document_is_on_the_line_that_is_named(data, multiline):
    text = tomli_w.dumps(data, multiline_strings=multiline)
    places = positions(text)
    assert set(places.lines) == set(paths(tomllib.loads(text)))
    lines = text.split("\n")
    for path, number in places.lines.items():
        assert 1 <= number <= len(lines)
        if isinstance(path[-1], str):
            assert key_on(lines[number - 1], path[-1])
