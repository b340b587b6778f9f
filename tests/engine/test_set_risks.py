"""A class of risk that a person sets is a tool's own: at once, for all that goes by a class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcpwall.engine import views
from mcpwall.engine.port import Done, Refused
from mcpwall.engine.port_answers import Match, Remember, Scope
from mcpwall.engine.port_rules import Undo
from mcpwall.engine.port_tools import Classified, Classify, ToolRow
from mcpwall.model import Action, Cause, Risk
from tests.engine.test_replay import replayed
from tests.engine.wall import TOOLS, Wall, call, request, result, tool

ASKED = "[defaults]\nunknown = 'allow'\n"


def classes(**risks: str) -> str:
    return ASKED + "\n[servers.notes.risk]\n" + "".join(f'{k} = "{v}"\n' for k, v in risks.items())


def row(wall: Wall, name: str) -> ToolRow:
    (server,) = views.snapshot(wall.engine).servers
    (found,) = (each for each in server.tools if each.name == name)
    return found


def change(wall: Wall, text: str) -> None:
    """A person's edit of the file, accepted where it has to be."""
    wall.edit(text)
    if (edit := wall.status.outside_edit) is not None:
        assert isinstance(wall.accept(edit), Done)


def test_the_default_of_the_class_that_is_set_decides(wall_with: Callable[[str], Wall]) -> None:
    wall = wall_with(classes(pay="read", look="destructive"))
    talk = wall.session()
    talk.asks(call(1, "pay"), call(2, "look"))
    assert talk.forwarded() == [call(1, "pay")]
    (held,) = wall.held
    assert held.row.risk is Risk.DESTRUCTIVE
    assert held.two_keys
    assert held.why[1] == (
        'risk destructive: set by you in config.toml:6; the wall found read: its name says "look"'
    )
    assert wall.recorded(1).risk is Risk.READ
    told = row(wall, "look")
    assert (told.risk, told.found, told.action) == (Risk.DESTRUCTIVE, Risk.READ, Action.ASK)


def test_a_prompt_of_a_tools_name_is_not_taken_for_the_tool(
    wall_with: Callable[[str], Wall],
) -> None:
    asks = '\n[[rules]]\nid = "p"\nmethod = "prompts/get"\naction = "ask"\n'
    wall = wall_with(classes(look="destructive") + asks)
    wall.session().asks(request(1, "prompts/get", {"name": "look"}))
    (held,) = wall.held
    assert (held.tool, held.why[1:]) == (None, ("risk read",))
    assert "first request like this" in held.flags
    grounds = wall.recorded(1).grounds
    assert grounds is not None
    assert grounds.found is None


def test_a_class_is_in_force_at_once_for_open_sessions_and_taken_back_at_once(wall: Wall) -> None:
    talk = wall.session(tools=[tool("look"), tool("frob")])
    before = wall.config.read_text()
    wall.edit(before + '\n[servers.notes.risk]\nlook = "execute"\n')
    talk.asks(call(1, "look"))
    assert talk.forwarded() == []
    assert [held.row.tool for held in wall.held] == ["look"]
    change(wall, before)
    assert wall.held == []
    assert talk.forwarded() == [call(1, "look")]
    assert row(wall, "look").found is None


@pytest.mark.parametrize(
    ("risk", "waits", "keys"),
    [("write", True, False), ("execute", True, True), ("read", False, False)],
)
def test_a_waiting_call_is_judged_by_the_class_that_is_set_meanwhile(
    wall_with: Callable[[str], Wall], risk: str, waits: bool, keys: bool
) -> None:
    wall = wall_with(classes(look="destructive"))
    talk = wall.session()
    talk.asks(call(1, "look"))
    (shown,) = wall.held
    change(wall, classes(look=risk))
    assert bool(wall.held) is waits
    if waits:
        (now,) = wall.held
        assert (now.row.risk, now.two_keys) == (Risk(risk), keys)
        assert not isinstance(wall.decide(shown), Done)  # it was another call that was on screen
        assert isinstance(wall.decide(now), Done)
    assert talk.forwarded() == [call(1, "look")]
    assert wall.recorded(1).risk is Risk(risk)
    assert [again.now == again.then for again in replayed(wall)] == [True, True]


def test_a_call_whose_class_rose_while_it_waited_counts_so_after_a_restart(
    wall_with: Callable[[str], Wall],
) -> None:
    rules = '\n[[rules]]\nid = "later"\nafter = { risk = "execute" }\naction = "deny"\n'
    wall = wall_with(classes(look="write") + rules)
    talk = wall.session()
    talk.asks(call(1, "look"))
    change(wall, classes(look="execute") + rules)
    assert isinstance(wall.decide(wall.held[0]), Done)
    wall = wall.killed()
    talk = wall.session()
    talk.asks(call(2, "count"))
    assert talk.forwarded() == []
    assert wall.rows()[-1].verdict.rules == ("later",)
    wall.drop()


def test_rules_that_hide_by_class_follow_it(wall_with: Callable[[str], Wall]) -> None:
    hide = '\n[[rules]]\nid = "h"\nrisk = "destructive"\nhide = true\n'
    wall = wall_with(classes(look="destructive") + hide)
    talk = wall.session()
    talk.asks(call(1, "look"))
    assert wall.rows()[-1].verdict.cause is Cause.HIDDEN
    assert row(wall, "look").hidden


def test_answers_that_were_remembered_for_a_tool_go_with_its_class(wall: Wall) -> None:
    talk = wall.session()
    talk.asks(call(1, "pay"))
    wall.decide(wall.held[0], remember=Remember(Scope.SESSION, Match.TOOL))
    talk.asks(call(2, "pay"))
    assert not wall.held
    wall.edit(wall.config.read_text() + '\n[servers.notes.risk]\nlook = "execute"\n')
    talk.asks(call(3, "pay"))
    assert not wall.held
    wall.edit(wall.config.read_text() + 'pay = "execute"\n')
    talk.asks(call(4, "pay"))
    assert [held.row.id for held in wall.held] == [4]


def test_a_class_outlives_a_changed_definition_which_still_waits(
    wall_with: Callable[[str], Wall],
) -> None:
    wall = wall_with(classes(look="read"))
    wall.session()
    other: list[Any] = [{**TOOLS[0], "description": "Deletes all files"}, *TOOLS[1:]]
    talk = wall.session(tools=other)
    talk.asks(call(1, "look"))
    assert talk.forwarded() == []
    told = row(wall, "look")
    assert (told.risk, told.found) == (Risk.READ, Risk.DESTRUCTIVE)


def test_an_edit_from_outside_that_may_lower_a_class_waits(wall: Wall) -> None:
    talk = wall.session()
    before = wall.config.read_text()
    wall.edit(before + '\n[servers.notes.risk]\npay = "read"\n')
    assert wall.status.outside_edit is not None
    assert wall.status.outside_edit.what == (
        "the risk of notes.pay is set to read, whatever the wall finds",
    )
    assert row(wall, "pay").found is None
    talk.asks(call(1, "wipe"))
    assert wall.rows()[-1].risk is Risk.DESTRUCTIVE


def test_a_class_is_shown_before_it_is_set_and_can_be_undone(wall: Wall) -> None:
    talk = wall.session()
    before = wall.config.read_text()
    shown = wall.do(Classify("notes", "look", Risk.EXECUTE))
    assert isinstance(shown, Classified)
    assert (shown.before.risk, shown.before.action) == (Risk.READ, Action.ALLOW)
    assert (shown.after.risk, shown.after.action) == (Risk.EXECUTE, Action.ASK)
    assert shown.after.why == (
        'set by you in config.toml:8; the wall found read: its name says "look"'
    )
    assert '+look = "execute"' in shown.diff
    assert (shown.let_go, shown.applied, wall.config.read_text()) == (0, False, before)
    done = wall.do(Classify("notes", "look", Risk.EXECUTE, apply=True))
    assert isinstance(done, Classified)
    assert done.applied
    assert wall.do(Classify("notes", "look", Risk.EXECUTE, apply=True)) == Refused(
        "it is set so already"
    )
    talk.asks(call(1, "look"))
    assert [held.row.risk for held in wall.held] == [Risk.EXECUTE]
    lower = wall.do(Classify("notes", "look", Risk.READ))
    assert isinstance(lower, Classified)
    assert lower.let_go == 1
    assert wall.held
    assert wall.do(Undo()) == Done("undone")
    assert wall.config.read_text() == before
    assert talk.forwarded() == [call(1, "look")]
    assert row(wall, "look").found is None


def test_going_back_to_what_the_wall_finds_takes_the_line_out(
    wall_with: Callable[[str], Wall],
) -> None:
    wall = wall_with(classes(look="destructive"))
    wall.session()
    back = wall.do(Classify("notes", "look", None, apply=True))
    assert isinstance(back, Classified)
    assert (back.before.risk, back.after.risk) == (Risk.DESTRUCTIVE, Risk.READ)
    assert wall.config.read_text() == ASKED
    assert row(wall, "look").found is None


@pytest.mark.parametrize("name", ["b*d [tool]", "!a", 'q"\\', "\u202etxt"])
def test_a_tool_of_any_name_can_be_classed(wall: Wall, name: str) -> None:
    wall.session(tools=[tool(name), tool("bXd [tool]")])
    wall.do(Classify("notes", name, Risk.FINANCIAL, apply=True))
    assert row(wall, name).risk is Risk.FINANCIAL
    assert row(wall, "bXd [tool]").found is None
    assert wall.do(Undo()) == Done("undone")


@pytest.mark.parametrize(("server", "name"), [("other", "look"), ("notes", "x"), ("notes", "")])
def test_only_a_tool_that_was_seen_is_classed(wall: Wall, server: str, name: str) -> None:
    wall.session()
    assert isinstance(wall.do(Classify(server, name, Risk.READ, apply=True)), Refused)


def test_unknown_is_no_class_that_a_person_sets(wall: Wall) -> None:
    wall.session()
    refused = wall.do(Classify("notes", "look", Risk.UNKNOWN, apply=True))
    assert isinstance(refused, Refused)
    assert "must be one of" in refused.text


# --- the project's file -------------------------------------------------------------------------

QUERY = '[servers.notes.risk]\nlook = "destructive"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    place = tmp_path / "acme"
    place.mkdir()
    (place / ".mcpwall.toml").write_text(QUERY)
    return place


def test_p06_a_project_adds_a_class_to_a_tool_there_and_nowhere_else(
    wall_with: Callable[[str], Wall], project: Path
) -> None:
    wall = wall_with(classes(count="execute"))
    talk = wall.session(directory=str(project))
    talk.asks(call(1, "look"))
    (held,) = wall.held
    assert held.two_keys
    assert held.row.risk is Risk.READ
    assert "risk destructive as well, by the project's file" in held.why
    assert isinstance(wall.decide(held), Done)
    assert talk.forwarded() == [call(1, "look")]
    other = wall.session()
    other.asks(call(2, "look"))
    assert other.forwarded() == [call(2, "look")]
    assert not [again for again in replayed(wall) if again.differs or again.why]


def test_p06_a_project_that_says_less_of_a_tool_than_the_person_changes_nothing(
    wall_with: Callable[[str], Wall], project: Path
) -> None:
    (project / ".mcpwall.toml").write_text(QUERY.replace("destructive", "read"))
    wall = wall_with(classes(look="execute"))
    talk = wall.session(directory=str(project))
    talk.asks(call(1, "look"))
    assert [held.two_keys for held in wall.held] == [True]
    assert talk.forwarded() == []


def test_a_projects_class_that_is_taken_away_waits_for_a_person(wall: Wall, project: Path) -> None:
    wall.engine.rulebook.policy(str(project))
    (project / ".mcpwall.toml").write_text("")
    wall.engine.rulebook.poll()
    assert wall.status.outside_edit is not None
    assert wall.status.outside_edit.what == (
        "notes.look is no longer judged as destructive as well",
    )


def test_p06_a_class_of_the_persons_that_steps_out_of_a_projects_rule_waits(
    wall_with: Callable[[str], Wall], project: Path
) -> None:
    (project / ".mcpwall.toml").write_text('[[rules]]\nrisk = "execute"\naction = "deny"\n')
    wall = wall_with(classes(look="execute"))
    wall.engine.rulebook.policy(str(project))
    wall.edit(classes(look="financial"))
    assert wall.status.outside_edit is not None
    assert wall.status.outside_edit.what == (
        "the risk of notes.look goes from execute to financial",
    )


def test_rules_that_hide_by_class_hide_what_a_project_adds_it_to(
    wall_with: Callable[[str], Wall], project: Path
) -> None:
    hide = '\n[[rules]]\nid = "h"\nrisk = "destructive"\nhide = true\n'
    wall = wall_with(ASKED + hide)
    talk = wall.session(directory=str(project))
    talk.asks(request(1, "tools/list"))
    talk.answers(result(1, tools=TOOLS))
    (listed,) = talk.got()
    assert "look" not in [one["name"] for one in listed["result"]["tools"]]
