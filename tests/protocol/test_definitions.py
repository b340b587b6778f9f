import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.protocol.definitions import Page, differences, fingerprint, read_page

DEFINITION = {
    "name": "send",
    "title": "Send",
    "description": "Sends a text.",
    "inputSchema": {
        "type": "object",
        "properties": {"to": {"type": "string", "maxLength": 5}, "n": {"enum": [1, 2.0, None]}},
        "required": ["to"],
    },
    "annotations": {"readOnlyHint": False},
    "x-unknown": {"deep": [True, {"deeper": "text"}]},
}
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text("ab\u20ac")
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=12,
)


def text(value: Any) -> bytes:
    return json.dumps(value).encode()


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every leaf of some JSON data."""
    if isinstance(value, dict) and value:
        return [p for key, inner in value.items() for p in leaves(inner, (*path, key))]
    if isinstance(value, list) and value:
        return [p for index, inner in enumerate(value) for p in leaves(inner, (*path, index))]
    return [path]


def with_leaf(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    changed = copy.deepcopy(value)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = leaf
    return changed


def shuffled(value: Any) -> Any:
    """The same, with the keys of every object the other way round."""
    if isinstance(value, dict):
        return {key: shuffled(inner) for key, inner in reversed(value.items())}
    return [shuffled(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", leaves(DEFINITION), ids=str)
@pytest.mark.parametrize("leaf", ["other", 7, None, False, {}, []], ids=repr)
def test_p07_every_leaf_counts(path: tuple[Any, ...], leaf: Any) -> None:
    before, after = text(DEFINITION), text(with_leaf(DEFINITION, path, leaf))
    assert (fingerprint(after) == fingerprint(before)) == (after == before)


@given(JSON, JSON)
def test_p07_only_equal_definitions_have_one_fingerprint(one: Any, other: Any) -> None:
    same = fingerprint(text({"x": one})) == fingerprint(text({"x": other}))
    assert same == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))
    assert same == (differences(text({"x": one}), text({"x": other})) == [])


@given(JSON)
def test_p07_the_order_of_keys_and_spaces_say_nothing(value: Any) -> None:
    spaced = json.dumps(shuffled({"x": value, "y": value}), indent=3).encode()
    assert fingerprint(spaced) == fingerprint(text({"x": value, "y": value}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"1", b"1.0"),
        (b"1.0", b"1.00"),
        (b"0.1", b"0.10000000000000001"),
        (b"1e2", b"100"),
        (b"12345678901234567890123", b"12345678901234567890124"),
        (b"1", b'"1"'),
        (b"1e999", b"1e998"),
    ],
)
def test_p07_numbers_count_as_they_are_written(one: bytes, other: bytes) -> None:
    assert fingerprint(b'{"n":%b}' % one) != fingerprint(b'{"n":%b}' % other)


@pytest.mark.parametrize(
    "raw",
    [b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}', b'{"a":NaN}', b'{"a":"\\ud800"}', b'{"a":'],
)
def test_p07_what_has_two_readings_has_no_fingerprint(raw: bytes) -> None:
    with pytest.raises(ValueError):
        fingerprint(raw)


def test_nesting_beyond_bounds_has_no_fingerprint() -> None:
    with pytest.raises(ValueError, match="deep"):
        fingerprint(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_differences_are_told_field_by_field() -> None:
    new = with_leaf(DEFINITION, ("inputSchema", "properties", "to", "maxLength"), 6)
    new = with_leaf(new, ("x-unknown", "deep", 1, "deeper"), "other")
    del new["title"]
    new["extra"] = [1]
    assert differences(text(DEFINITION), text(new)) == [
        ("title", '"Send"', None),
        ("inputSchema.properties.to.maxLength", "5", "6"),
        ("x-unknown.deep[1].deeper", '"text"', '"other"'),
        ("extra", None, "[1]"),
    ]


def test_a_page_leaves_out_what_is_no_definition() -> None:
    page = read_page(
        msgspec.Raw(b'{"tools":[{"name":"a"},7,{"name":3},{"name":""},{"n":1e999,"name":"b"}]}')
    )
    assert [(each.name, each.raw) for each in page.definitions] == [("a", b'{"name":"a"}')]
    assert page.cursor is None


@pytest.mark.parametrize("result", [b"null", b"[]", b'{"tools":{}}', b'{"tools":[1}'])
def test_a_result_that_is_no_page_lists_nothing(result: bytes) -> None:
    assert read_page(msgspec.Raw(result)) == Page([], None)


@pytest.mark.parametrize(("cursor", "read"), [('"x"', "x"), ("null", None), ("7", None)])
def test_a_cursor_is_a_text(cursor: str, read: str | None) -> None:
    page = read_page(msgspec.Raw(f'{{"tools":[],"nextCursor":{cursor}}}'.encode()))
    assert page.cursor == read
