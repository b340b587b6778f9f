"""The app's own tables of the config: what it reads of a file that it does not parse whole."""

import sys
import tomllib

import pytest

from mcpwall.store.app import AppConfig, own
from mcpwall.store.forms import BadValueError

RULE = '[[rules]]\ntool = "append_*"\naction = "approve"\n'


@pytest.mark.parametrize(
    "ours",
    [
        '[app]\ntheme = "light"\n[keys]\n"calls.rule" = "x"\n',
        '\t[ app ]\ntheme = "light"\r\n["keys"]\ncalls.rule = "x"\n',
        "['app']\ntheme = 'light'\n[keys.calls]\nrule = 'x'\n",
        '[ "\\u0061pp" ]\ntheme = "light"\n["k\\u0065ys"]\n"calls.rule" = "x"\n',
    ],
)
def test_both_tables_are_found_however_they_are_written(ours: str) -> None:
    expected = ({"calls.rule": "x"}, AppConfig(theme="light"))
    assert own(RULE + ours) == own(ours + RULE) == expected


def test_keys_before_the_first_table_are_found() -> None:
    dotted = 'app.theme = "light"\n"keys"."calls.rule" = "x"\n'
    assert own(dotted + RULE) == ({"calls.rule": "x"}, AppConfig(theme="light"))
    inline = "app = { bell = false }\n"
    assert own(inline + RULE) == ({}, AppConfig(bell=False))


def test_a_file_without_them_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tomllib", None)
    assert own(RULE * 2) == ({}, AppConfig())


@pytest.mark.parametrize("wrong", ["[app", '[app]\ntheme = "pink"\n', "[app]\nbell = 1\n"])
def test_what_is_wrong_with_them_is_an_error(wrong: str) -> None:
    with pytest.raises((tomllib.TOMLDecodeError, BadValueError)):
        own(RULE + wrong)
