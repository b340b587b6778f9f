from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.policy.match import GlobError, Names, compile_glob, covers, escape_glob

ALPHABET = "ab*?[]!-/."
globs = st.text(ALPHABET, max_size=7)
texts = st.text("ab/.*?![]-", max_size=7)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("read_file", ["read_file"], ["Read_file", "read_file ", "read_file\n", "xread_file"]),
        ("read_*", ["read_", "read_file"], ["read", "xread_file"]),
        ("*_file", ["_file", "read_file"], ["read_files"]),
        ("*ea*", ["ea", "read"], ["raed"]),
        ("*", ["", "a", "a\nb", "日本"], []),
        ("", [""], ["a"]),
        ("r?ad", ["read", "r\nad", "r😀ad"], ["rad", "reead"]),
        ("[rl]ead", ["read", "lead"], ["bead", "rlead"]),
        ("[!r]ead", ["lead"], ["read", "ead"]),
        ("v[0-9]", ["v0", "v9"], ["va", "v"]),
        ("[a-]x", ["ax", "-x"], ["bx"]),
        ("a[*]", ["a*"], ["ab"]),
        ("a[?]", ["a?"], ["ab"]),
        ("a[[]", ["a["], ["ab"]),
        ("[!]a", ["!a"], ["ba"]),
        ("a]", ["a]"], ["a"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a|b", ["a|b"], ["a", "b"]),
        ("(?i)a*", ["(?i)a"], ["a", "xi)a"]),
        ("a\\d?", ["a\\dx"], ["a1x"]),
        ("**/.env*", [".env", "a/.env", "a/b/.env.local"], ["a.env", "x/y.env"]),
        ("src/**/x", ["src/x", "src/a/b/x"], ["srcx", "src/ax"]),
        ("é?", ["éa"], ["e\u0301a"]),
    ],
)
def test_glob(pattern: str, yes: list[str], no: list[str]) -> None:
    test = compile_glob(pattern)
    assert [text for text in yes if not test(text)] == []
    assert [text for text in no if test(text)] == []


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("a[b", 'no "]"'),
        ("a[]b", "names no character"),
        ("[z-a]?", "runs backwards"),
        ("a" * 1001, "at most 1000"),
    ],
)
def test_unreadable_globs_say_why(pattern: str, says: str) -> None:
    with pytest.raises(GlobError, match=says):
        compile_glob(pattern)


@given(st.text("ab*?", max_size=8).filter(lambda p: "**/" not in p), st.text("ab/", max_size=8))
def test_stars_and_question_marks_mean_what_they_mean_elsewhere(pattern: str, text: str) -> None:
    assert compile_glob(pattern)(text) == fnmatch.fnmatchcase(text, pattern)


@given(st.text(max_size=12), st.text(max_size=12))
def test_an_escaped_name_matches_itself_alone(name: str, other: str) -> None:
    names = Names([escape_glob(name)])
    assert names.match(name)
    assert names.match(other) is (other == name)


def readable(pattern: str) -> bool:
    try:
        compile_glob(pattern)
    except GlobError:
        return False
    return True


@given(globs.filter(readable), globs.filter(readable), texts)
def test_a_glob_that_covers_another_matches_all_of_it(wide: str, narrow: str, text: str) -> None:
    if covers(wide, narrow) and compile_glob(narrow)(text):
        assert compile_glob(wide)(text)


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("*", "anything[!x]?", True),
        ("read_*", "read_file", True),
        ("read_*", "read_*_x", True),
        ("*a*", "bab", True),
        ("[ab]x", "ax", True),
        ("?x", "[ab]x", True),
        ("read_file", "read_*", False),
        ("a*", "*", False),
        ("?", "*", False),
        ("a", "b", False),
        ("*/x", "**/x", False),
        ("**/x", "**/x", True),
    ],
)
def test_covers(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected


@pytest.mark.parametrize(
    ("patterns", "name", "expected"),
    [
        ([], "anything", True),
        (["a", "b*"], "bc", True),
        (["a", "b*"], "c", False),
        (["delete_*", "!delete_draft"], "delete_all", True),
        (["delete_*", "!delete_draft"], "delete_draft", False),
        (["!delete_draft", "delete_*"], "delete_draft", False),
        (["!admin_*"], "read", True),
        (["!admin_*"], "admin_x", False),
    ],
)
def test_names_take_in_and_take_out(patterns: list[str], name: str, expected: bool) -> None:
    assert Names(patterns).match(name) is expected


def test_one_thing_with_two_names_is_out_when_either_is_taken_out() -> None:
    names = Names(["claude*", "!claude-code#2"])
    assert names.match("claude-code", "claude-code#1")
    assert not names.match("claude-code", "claude-code#2")
    assert Names(["codex#1"]).match("codex", "codex#1")
