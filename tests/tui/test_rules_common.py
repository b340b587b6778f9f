from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from msgspec.structs import replace

from mcpwall.store.config import load_text
from mcpwall.tui.rules.common import fields_from_calls
from tests.tui.scenes import row

READ = ("filesystem.read_file", {"path": "a"})


def made(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    rows = [row(number, tool, arguments) for number, (tool, arguments) in enumerate(calls)]
    table = fields_from_calls(rows, [arguments for _, arguments in calls])
    text = tomlkit.dumps({"rules": [table]})
    assert tomllib.loads(text)["rules"] == [table]
    load_text(text, "config.toml")  # the engine would take it
    return table


def test_one_call_gives_a_rule_for_exactly_its_arguments() -> None:
    assert made(READ) == {
        "server": "filesystem",
        "tool": "read_file",
        "when": {"path": {"equals": "a"}},
        "action": "deny",
    }


def test_what_all_calls_of_a_tool_share_is_a_condition_and_what_differs_is_not() -> None:
    one = {"sql": "SELECT 1", "db": "prod", "limits": {"rows": [1, 2]}, "dry": True}
    two = {"sql": "SELECT 2", "db": "prod", "limits": {"rows": [1, 2]}, "dry": 1, "new": 0}
    assert made(("postgres.query", one), ("postgres.query", two)) == {
        "server": "postgres",
        "tool": "query",
        "when": {"db": {"equals": "prod"}, "limits": {"equals": {"rows": [1, 2]}}},
        "action": "deny",
    }


def test_several_tools_and_servers_are_listed_once_each_without_conditions() -> None:
    assert made(READ, ("filesystem.write_file", {"path": "a"}), READ, ("git.log", {})) == {
        "server": ["filesystem", "git"],
        "tool": ["read_file", "write_file", "log"],
        "action": "deny",
    }


def test_one_tool_of_several_servers_keeps_its_conditions() -> None:
    assert made(("one.run", {"command": "ls"}), ("two.run", {"command": "ls"})) == {
        "server": ["one", "two"],
        "tool": "run",
        "when": {"command": {"equals": "ls"}},
        "action": "deny",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("parent", None),
        ("deep", {"a": [None]}),
        ("id", 2**63),
        ("any", "x"),  # as a path it means every text
        ("a.b", "x"),
        ("token", "⟨secret 40 chars, 0123abcd⟩"),
    ],
)
def test_an_argument_that_no_condition_can_name_is_left_out(name: str, value: object) -> None:
    call = ("a.b", {name: value, "path": "x"})
    assert made(call, call)["when"] == {"path": {"equals": "x"}}


def test_a_call_of_which_not_all_is_known_gives_no_condition() -> None:
    rows = [row(1, *READ), row(2, *READ)]
    assert "when" not in fields_from_calls(rows, [READ[1], None])


def test_names_are_taken_literally_and_other_methods_are_named() -> None:
    call = replace(row(1, "files.!odd*", {}), method="prompts/get")
    none = replace(call, method="resources/list", tool="")
    table = fields_from_calls([call], [{}])
    assert (table["tool"], table["method"]) == ("[!]odd[*]", "prompts/get")
    table = fields_from_calls([call, none], [{}, {}])
    assert table["method"] == ["prompts/get", "resources/list"]
    assert "tool" not in table
