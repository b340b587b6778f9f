from __future__ import annotations

import inspect

import pytest

from mcpwall.tui.app import WallApp
from mcpwall.tui.keys import ACTIONS, MODAL, KeyMap, KeysError, key_name, shown
from mcpwall.tui.screens.affected import AffectedScreen
from mcpwall.tui.screens.agents import AgentsScreen
from mcpwall.tui.screens.audit import AuditScreen
from mcpwall.tui.screens.call import CallScreen
from mcpwall.tui.screens.calls import CallsScreen
from mcpwall.tui.screens.confirm import ConfirmScreen
from mcpwall.tui.screens.edit import EditScreen
from mcpwall.tui.screens.group import GroupScreen
from mcpwall.tui.screens.help import HelpScreen, help_lines
from mcpwall.tui.screens.review import ReviewScreen
from mcpwall.tui.screens.risk import RiskScreen
from mcpwall.tui.screens.rules import RulesScreen
from mcpwall.tui.screens.servers import ServersScreen
from mcpwall.tui.screens.sessions import SessionsScreen
from mcpwall.tui.widgets.rule_form import RuleForm

OWNERS = {
    "app": WallApp,
    "calls": CallsScreen,
    "call": CallScreen,
    "review": ReviewScreen,
    "rules": RulesScreen,
    "form": RuleForm,
    "edit": EditScreen,
    "sheet": AffectedScreen,
    "decide": GroupScreen,
    "audit": AuditScreen,
    "sessions": SessionsScreen,
    "servers": ServersScreen,
    "confirm": ConfirmScreen,
    "agents": AgentsScreen,
    "risk": RiskScreen,
    "help": HelpScreen,
}


def test_the_table_itself_has_no_conflict() -> None:
    KeyMap()
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    assert all(action.keys and action.help for action in ACTIONS)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.id)
def test_every_action_can_be_carried_out(action: object) -> None:
    method = getattr(OWNERS[action.scope], f"do_{action.name}")
    assert not inspect.iscoroutinefunction(method)
    assert list(inspect.signature(method).parameters) == ["self"]


def test_a_key_is_found_on_its_own_screen_only() -> None:
    keys = KeyMap()
    assert keys.find("calls", "f").id == "calls.follow"
    assert keys.find("review", "f") is None
    assert keys.find("app", "L").id == "app.lockdown"


def test_a_moved_key_works_and_the_old_one_does_not() -> None:
    keys = KeyMap({"calls.follow": "F ctrl+f"})
    assert keys.find("calls", "F").id == keys.find("calls", "ctrl+f").id == "calls.follow"
    assert keys.find("calls", "f") is None
    assert keys.key("calls.follow") == "F"


def test_two_actions_may_swap_their_keys() -> None:
    keys = KeyMap({"calls.raw": "y", "calls.copy": "v"})
    assert keys.find("calls", "y").id == "calls.raw"


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ({"calls.folow": "F"}, "no action 'calls.folow'; did you mean 'calls.follow'?"),
        ({"calls.rule": "f"}, "calls.rule = 'f': that key is calls.follow already"),
        ({"rules.new": "L"}, "that key is app.lockdown already"),
        ({"app.lockdown": "a"}, "already"),
        ({"calls.rule": ""}, "has no key"),
        ({"calls.rule": "ctrl+"}, "no such key"),
        ({"calls.rule": "return"}, "no such key"),
        ({"review.allow": "enter"}, "that key never decides"),
        ({"review.allow": "space"}, "that key never decides"),
        ({"review.confirm": "y"}, "that key never decides"),
    ],
)
def test_a_table_that_cannot_work_says_why(moved: dict[str, str], said: str) -> None:
    with pytest.raises(KeysError, match=said):
        KeyMap(moved)


@pytest.mark.parametrize("action", [a for a in ACTIONS if a.scope not in MODAL], ids=lambda a: a.id)
def test_no_screen_takes_a_key_that_works_everywhere(action: object) -> None:
    keys = KeyMap()
    if action.scope != "app":
        assert not [key for key in action.keys if keys.find("app", key)]


@pytest.mark.parametrize(
    ("key", "character", "name"),
    [
        ("right_square_bracket", "]", "]"),
        ("L", "L", "L"),
        ("question_mark", "?", "?"),
        ("space", " ", "space"),
        ("enter", "\r", "enter"),
        ("tab", "\t", "tab"),
        ("escape", "\x1b", "escape"),
        ("ctrl+s", "\x13", "ctrl+s"),
        ("down", None, "down"),
    ],
)
def test_a_key_has_the_name_that_a_person_writes(key: str, character: str, name: str) -> None:
    assert key_name(key, character) == name


def test_the_help_names_every_action_once() -> None:
    text = ["".join(part for part, _ in line) for line in help_lines(KeyMap(), "calls", 120)]
    for action in ACTIONS:
        if action.scope not in ("help", "confirm"):
            lines = [line for line in text if line.endswith(f" {action.id}")]
            assert len(lines) == 1, action.id
            assert action.help in lines[0]
            assert shown(action.keys[0]) in lines[0]
