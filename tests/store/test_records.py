"""What tables show of a call's arguments."""

import json

import pytest

from mcpwall.store.records import ARGUMENTS_MAX, preview


def compact(arguments: object) -> bytes:
    return json.dumps(arguments, separators=(",", ":"), ensure_ascii=False).encode()


def test_short_arguments_are_shown_as_they_are():
    arguments = {"command": "x" * 100, "cwd": "/tmp", "timeout": 5}
    assert preview(compact(arguments)) == compact(arguments).decode()


@pytest.mark.parametrize("length", [300, 60_000])
def test_a_long_field_hides_no_short_one(length):
    shown = preview(compact({"content": "x" * length, "labels": ["a"], "path": "/tmp/a.py"}))
    assert shown.startswith('{"labels":["a"],"path":"/tmp/a.py","content":"xxx')
    assert len(shown) <= 600


@pytest.mark.parametrize(
    "arguments",
    [
        compact({"content": "x" * 300, "path": "/tmp/a.py"})[:290],  # cut
        compact({"content": "x" * ARGUMENTS_MAX, "path": "/tmp/a.py"}),  # not looked through
        compact(["x" * 300, "y"]),  # no object
    ],
)
def test_of_others_the_start_is_shown(arguments):
    assert preview(arguments) == arguments.decode()[:600]


def test_no_character_is_cut_in_half():
    assert preview(compact({"text": "€" * 1000})) == '{"text":"' + "€" * 591
