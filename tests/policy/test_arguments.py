from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.policy.arguments import LEAVES_MAX, Gap, PathError, compile_path, escape_name

ARGUMENTS: dict[str, Any] = {
    "path": "a.txt",
    "user": {"name": "ann", "tags": ["x", "y"]},
    "items": [{"url": "u1"}, {"url": "u2"}, {}, "text"],
    "grid": [[1, 2], [3]],
    "none": None,
    "a.b": 1,
    "any": "really",
    "": "empty",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("path", ["a.txt"]),
        ("missing", [Gap.MISSING]),
        ("user.name", ["ann"]),
        ("user.age", [Gap.MISSING]),
        ("user.name.first", [Gap.BROKEN]),
        ("missing.name", [Gap.MISSING]),
        ("none.name", [Gap.BROKEN]),
        ("none", [None]),
        ("user.tags[]", ["x", "y"]),
        ("items[].url", ["u1", "u2", Gap.MISSING, Gap.BROKEN]),
        ("grid[][]", [1, 2, 3]),
        ("path[]", [Gap.BROKEN]),
        ("missing[]", [Gap.MISSING]),
        ("a\\.b", [1]),
        ("\\any", ["really"]),
    ],
)
def test_path(path: str, expected: list[Any]) -> None:
    assert compile_path(path)(ARGUMENTS) == expected


def test_the_empty_path_is_the_whole_object() -> None:
    assert compile_path("")(ARGUMENTS) == [ARGUMENTS]


def test_any_is_every_text_at_any_depth_and_nothing_else() -> None:
    arguments = {"a": "1", "b": [{"c": "2", "d": 5}, ["3", None]], "e": {"f": {"g": "4"}}}
    assert sorted(compile_path("any")(arguments)) == ["1", "2", "3", "4"]
    assert compile_path("any")({"n": 1}) == []


def test_depth_does_not_end_the_walk() -> None:
    deep: Any = "bottom"
    for _ in range(50_000):
        deep = [deep]
    assert compile_path("any")({"x": deep}) == ["bottom"]


@pytest.mark.parametrize("path", ["any", "x[]", "x[].y"])
def test_p13_too_many_values_are_cut_and_marked(path: str) -> None:
    leaves = compile_path(path)({"x": ["s"] * (LEAVES_MAX * 3)})
    assert len(leaves) == LEAVES_MAX + 1
    assert leaves[-1] is Gap.BROKEN


@pytest.mark.parametrize(
    "path", [".a", "a.", "a..b", "[]", "a[0]", "a[", "a]", "a[]b", "a.[]", "\\"]
)
def test_unreadable_paths_say_so(path: str) -> None:
    with pytest.raises(PathError):
        compile_path(path)


@given(st.text(min_size=1))
def test_an_escaped_name_is_that_argument(name: str) -> None:
    assert compile_path(escape_name(name))({name: 1, "other" + name: 2}) == [1]
