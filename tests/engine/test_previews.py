"""What a change of a rule would do, asked before it is made."""

from __future__ import annotations

from mcpwall.engine.port import Lockdown
from mcpwall.engine.port_rules import Preview, Previewed
from tests.engine.wall import call, result

ASKS = {"id": "asks", "tool": "pay", "action": "ask", "reason": "it is money"}


def previewed(wall, fields, replaces) -> Previewed:
    told = wall.do(Preview(fields=fields, replaces=replaces))
    assert isinstance(told, Previewed)
    return told


def changes(told: Previewed) -> tuple[tuple[int, ...], ...]:
    return told.denied, told.limited, told.asked, told.allowed


def test_a_rule_as_it_is_changes_nothing_whatever_became_of_its_calls(wall):
    talk = wall.session()
    talk.asks(call(1, "pay"), call(2, "pay"), call(3, "pay"))
    wall.decide(wall.held[0])
    wall.decide(wall.held[0], allow=False)
    talk.answers(result(1))
    wall.do(Lockdown(on=True))
    talk.asks(call(4, "look"), call(5, "pay"))
    wall.do(Lockdown(on=False))
    talk.asks(call(6, "unheard_of"), call(7, "wipe"), call(8, "pay"))
    told = previewed(wall, ASKS, "asks")
    assert (told.checked, len(told.matched)) == (8, 5)
    assert changes(told) == ((), (), (), ())


def test_calls_of_every_kind_are_told_by_what_would_become_of_them(wall):
    talk = wall.session()
    talk.asks(call(1, "pay"), call(2, "look"), call(3, "pay"))
    first, second = [held.row.id for held in wall.held]
    assert changes(previewed(wall, {**ASKS, "action": "deny"}, "asks"))[0] == (first, second)
    assert changes(previewed(wall, None, "asks"))[3] == (first, second)


def test_a_projects_own_rules_are_no_change(wall, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / ".mcpwall.toml").write_text('[[rules]]\ntool = "look"\naction = "deny"\n')
    wall.session(directory=str(project)).asks(call(1, "look"))
    assert changes(previewed(wall, ASKS, "asks")) == ((), (), (), ())
