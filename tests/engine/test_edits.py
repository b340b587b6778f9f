"""The rules file edited from outside, and the file of the project where the agent runs."""

from __future__ import annotations

import os

import pytest

from mcpwall.engine.port import Done, NoticeEvent, Refused, StatusEvent
from mcpwall.engine.port_rules import AcceptEdit, DropRule, PutRule, Undo
from mcpwall.store.files import UnsafeFileError
from tests.engine.wall import RULES, Wall, call, verdict

NO_LOOK = RULES + '\n[[rules]]\nid = "no-look"\ntool = "look"\naction = "deny"\n'
LOOSER = RULES.replace('tool = "wipe"\naction = "deny"', 'tool = "wipe"\naction = "allow"')
BROKEN = RULES + "\n[[rules]\n"


def denied(wall, tool: str) -> list[str] | None:
    """The rules that deny a tool just now; None when it is let through."""
    talk = wall.session()
    talk.asks(call(1, tool))
    rules = verdict(talk.refusal())["rules"] if not talk.live.busy else None
    talk.live.end("over")
    return rules


def replace(wall, rules: str) -> None:
    """Edit as editors do: a new file in place of the old one."""
    new = wall.config.with_suffix(".new")
    new.write_text(rules)
    new.chmod(0o600)
    new.rename(wall.config)
    wall.engine.rulebook.poll()


@pytest.mark.parametrize("how", ["written", "replaced"])
def test_an_edit_that_tightens_is_in_force_at_the_next_look(wall, how):
    assert denied(wall, "look") is None
    (wall.edit if how == "written" else lambda rules: replace(wall, rules))(NO_LOOK)
    assert denied(wall, "look") == ["no-look"]
    assert wall.status.outside_edit is None
    assert [row.rule.id for row in wall.rule_rows()] == ["asks", "never", "cap", "no-look"]


def test_an_edit_that_loosens_waits_for_the_person(wall):
    policy = wall.status.policy
    wall.edit(LOOSER)
    assert denied(wall, "wipe") == ["never"]
    assert wall.status.policy == policy
    edit = wall.status.outside_edit
    assert "never" in " ".join(edit.what)
    assert '+action = "allow"' in edit.diff
    assert wall.accept(edit) == Done("accepted")
    assert denied(wall, "wipe") is None
    assert wall.status.outside_edit is None
    assert wall.config.read_text() == LOOSER


def test_apps_are_told_of_other_defaults_once_they_are_in_force(wall):
    def told() -> list[str]:
        events = wall.engine.feed.since(before).events
        return [e.status.defaults.read.value for e in events if isinstance(e, StatusEvent)]

    before = wall.engine.feed.seq
    wall.edit(RULES.replace("[defaults]", '[defaults]\nread = "ask"'))
    assert told()[-1] == "ask"
    before = wall.engine.feed.seq
    wall.edit(RULES)  # looser: it waits, and the old ones hold
    assert set(told()) == {"ask"}
    wall.accept(wall.status.outside_edit)
    assert told()[-1] == "allow"


def test_an_edit_that_loosens_can_be_put_back(wall):
    wall.edit(LOOSER)
    assert isinstance(wall.accept(wall.status.outside_edit, accept=False), Done)
    assert wall.config.read_text() == RULES
    assert denied(wall, "wipe") == ["never"]
    wall.engine.rulebook.poll()
    assert wall.status.outside_edit is None


def test_only_the_text_that_was_shown_can_be_accepted(wall):
    wall.edit(LOOSER)
    shown = wall.status.outside_edit
    wall.edit("")
    assert isinstance(wall.accept(shown), Refused)
    assert denied(wall, "wipe") == ["never"]


def test_an_edit_that_changes_between_the_look_and_the_key_is_not_accepted(wall):
    wall.edit(LOOSER)
    shown = wall.status.outside_edit
    wall.config.write_text(LOOSER + "# and more\n")
    wall.accept(shown)
    assert wall.config.read_text() == LOOSER + "# and more\n"
    wall.engine.rulebook.poll()
    wall.engine.rulebook.poll()
    assert wall.status.outside_edit is None  # a comment loosens nothing


def test_a_waiting_edit_that_is_taken_back_waits_no_more(wall):
    wall.edit(LOOSER)
    wall.edit(RULES)
    assert wall.status.outside_edit is None
    assert denied(wall, "wipe") == ["never"]


def test_a_waiting_edit_does_not_hide_a_later_one_that_tightens(wall):
    wall.edit(LOOSER)
    wall.edit(NO_LOOK)
    assert denied(wall, "look") == ["no-look"]
    assert wall.status.outside_edit is None


def test_a_file_that_does_not_load_leaves_the_last_good_rules_in_force(wall):
    wall.edit(BROKEN)
    assert denied(wall, "wipe") == ["never"]
    assert "config.toml:24" in wall.status.config_error
    wall.edit(NO_LOOK)
    assert wall.status.config_error == ""
    assert denied(wall, "look") == ["no-look"]


@pytest.mark.parametrize("mode", [0o666, 0o620])
def test_a_file_that_others_may_write_is_not_believed(wall, mode):
    wall.config.chmod(mode)
    wall.edit(NO_LOOK)
    assert denied(wall, "look") is None
    assert "chmod go-w" in wall.status.config_error
    wall.config.chmod(0o600)
    wall.engine.rulebook.poll()
    assert denied(wall, "look") == ["no-look"]


@pytest.mark.parametrize("what", ["fifo", "directory", "bytes"])
def test_something_else_in_its_place_is_an_error_and_no_end(wall, what):
    wall.config.unlink()
    if what == "fifo":
        os.mkfifo(wall.config, 0o600)
    elif what == "directory":
        wall.config.mkdir()
    else:
        wall.config.write_bytes(b"\xff\xfe")
        wall.config.chmod(0o600)
    wall.engine.rulebook.poll()
    assert wall.status.config_error
    assert denied(wall, "wipe") == ["never"]


def test_a_file_that_is_gone_loosens_and_so_waits(wall):
    wall.config.unlink()
    wall.engine.rulebook.poll()
    assert denied(wall, "wipe") == ["never"]
    assert wall.status.outside_edit is not None
    assert isinstance(wall.accept(wall.status.outside_edit, accept=False), Done)
    assert wall.config.read_text() == RULES


def test_a_change_in_the_app_is_in_force_saved_and_undone(wall):
    fields = {"id": "no-look", "tool": "look", "action": "deny"}
    assert isinstance(wall.do(PutRule(fields)), Done)
    assert denied(wall, "look") == ["no-look"]
    assert wall.config.read_text().startswith(RULES)
    assert wall.status.undo == 1
    wall.engine.rulebook.poll()  # its own edit is no outside edit
    assert wall.status.outside_edit is None
    assert isinstance(wall.do(Undo()), Done)
    assert denied(wall, "look") is None
    assert wall.config.read_text() == RULES
    assert isinstance(wall.do(Undo(redo=True)), Done)
    assert denied(wall, "look") == ["no-look"]


def test_a_change_says_which_rule_is_another_now(wall):
    def changed(command):
        return wall.do(command).rule

    first = changed(PutRule({"tool": "look", "action": "deny"}))  # it gets an id of its own
    assert denied(wall, "look") == [first]
    second = changed(PutRule({"tool": ["look", "wipe"], "action": "deny"}, first))
    assert second != first
    assert denied(wall, "look") == [second]
    assert changed(PutRule({"tool": ["look", "wipe"], "action": "deny"}, second)) == second
    assert changed(Undo()) == first
    assert changed(Undo(redo=True)) == second
    wall.do(DropRule(second))
    assert changed(Undo()) == second
    assert [changed(Undo()), changed(Undo())] == [first, ""]  # at last there is none any more


def test_a_limit_that_is_added_counts_what_was_forwarded_before(wall):
    for _ in range(3):
        assert denied(wall, "look") is None
    wall.do(PutRule({"id": "three", "tool": "look", "rate_limit": "3/minute"}))
    # no key of that rule was ever booked: it counts from now on
    for _ in range(3):
        assert denied(wall, "look") is None
    assert denied(wall, "look") == ["three"]


FAR = RULES + '\n[servers.far]\ncommand = ["far"]\n'


def test_a_server_that_was_taken_out_comes_back_otherwise_by_a_key_alone(wall):
    wall.edit(FAR)
    wall.edit(RULES)
    assert wall.status.outside_edit is None
    wall.edit(FAR.replace('["far"]', '["evil"]'))
    assert wall.status.outside_edit.what == ("the server far is started or reached in another way",)
    assert wall.engine.rulebook.server("far") is None
    wall.edit(FAR)
    assert wall.status.outside_edit is None
    assert wall.engine.rulebook.server("far").command == ("far",)


# --- the project's file -------------------------------------------------------------------------


@pytest.fixture
def project(wall, tmp_path):
    place = tmp_path / "acme" / "src"
    place.mkdir(parents=True)
    return place


def in_project(wall, project, tool):
    talk = wall.session(directory=str(project))
    talk.asks(call(1, tool))
    facts = verdict(talk.refusal()) if not talk.live.busy else None
    talk.live.end("over")
    return facts


def test_p06_a_projects_file_tightens_there_and_nowhere_else(wall, project):
    file = project.parent / ".mcpwall.toml"
    file.write_text('[[rules]]\nid = "here"\ntool = "look"\naction = "deny"\n')
    assert in_project(wall, project, "look")["rules"] == ["here"]
    assert in_project(wall, project.parent.parent, "look") is None
    assert "here" in [row.rule.id for row in wall.rule_rows()]


HERE = '[[rules]]\nid = "here"\ntool = "look"\naction = "deny"\n'


@pytest.mark.parametrize("edit", ["empty", "gone", "milder"])
def test_a_project_that_is_loosened_waits_for_a_person(wall, project, edit):
    file = project / ".mcpwall.toml"
    file.write_text(HERE)
    assert in_project(wall, project, "look")["rules"] == ["here"]
    if edit == "gone":
        file.unlink()
    else:
        file.write_text("" if edit == "empty" else HERE.replace('"look"', '"other"'))
    wall.engine.rulebook.poll()
    assert in_project(wall, project, "look")["rules"] == ["here"]
    waiting = wall.status.outside_edit
    assert "here" in waiting.what[0]
    assert '-action = "deny"' in waiting.diff or '-tool = "look"' in waiting.diff
    assert isinstance(wall.do(AcceptEdit("another", accept=True)), Refused)
    assert isinstance(wall.do(AcceptEdit(waiting.hash, accept=True)), Done)
    assert wall.status.outside_edit is None
    assert in_project(wall, project, "look") is None


def test_p06_an_edit_that_waits_for_a_projects_sake_comes_in_by_no_other_change(wall, project):
    classes = RULES.replace("[defaults]", '[defaults]\nexecute = "allow"')
    classes += '[servers.notes.risk]\nlook = "write"\n'
    (project / ".mcpwall.toml").write_text('[defaults]\nwrite = "deny"\n')
    wall.edit(classes)
    if edit := wall.status.outside_edit:
        wall.accept(edit)
    assert in_project(wall, project, "look")["cause"] == "default"
    wall.edit(classes.replace('"write"\n', '"read"\n'))
    assert wall.status.outside_edit.what == ("the risk of notes.look goes from write to read",)
    assert isinstance(wall.do(DropRule("cap")), Refused)
    assert in_project(wall, project, "look")["cause"] == "default"


def test_p06_files_that_do_not_go_together_make_nobody_forget_what_was_in_force(wall, project):
    outer, inner = project.parent / ".mcpwall.toml", project / ".mcpwall.toml"
    outer.write_text(HERE)
    assert in_project(wall, project, "look")["rules"] == ["here"]
    inner.write_text(HERE.replace('"look"', '"other"'))
    wall.engine.rulebook.poll()
    assert in_project(wall, project, "look")["cause"] == "fault"
    outer.unlink()
    inner.unlink()
    wall.engine.rulebook.poll()
    assert in_project(wall, project, "look")["rules"] == ["here"]
    assert "here" in wall.status.outside_edit.what[0]


def test_p06_a_projects_limit_that_moves_to_another_file_waits_for_a_person(wall, project):
    outer, inner = project.parent / ".mcpwall.toml", project / ".mcpwall.toml"
    outer.write_text('[[rules]]\nid = "few"\ntool = "look"\nrate_limit = "1/hour"\n')
    assert in_project(wall, project, "look") is None
    outer.rename(inner)  # under its name there it has counted nothing
    wall.engine.rulebook.poll()
    assert in_project(wall, project, "look")["rules"] == ["few"]
    assert wall.status.outside_edit.what == ("rate limit few counts anew in another file",)


def test_p13_the_files_above_a_directory_are_few(wall, project):
    deep = project
    for number in range(10):
        deep = deep / str(number)
        deep.mkdir()
        (deep / ".mcpwall.toml").write_text("# none\n")
    assert in_project(wall, deep, "look") is None
    (project / ".mcpwall.toml").write_text("# none\n")
    other = deep.parent / "other"
    other.mkdir()
    (other / ".mcpwall.toml").write_text("# none\n")
    (deep.parent / "other" / "one").mkdir()
    (other / "one" / ".mcpwall.toml").write_text("# none\n")
    refused = in_project(wall, other / "one", "look")
    assert "one of more than 10 such files" in refused["reason"]


def test_p13_the_files_above_a_directory_are_small(wall, project):
    for place in (project, project.parent, project.parent.parent):
        (place / ".mcpwall.toml").write_text("#" * 60_000)
    assert in_project(wall, project.parent, "look") is None
    assert "more than 128 Ki characters" in in_project(wall, project, "look")["reason"]


def test_a_project_that_a_person_did_not_accept_stays_as_it_was(wall, project):
    file = project / ".mcpwall.toml"
    file.write_text(HERE)
    assert in_project(wall, project, "look")["rules"] == ["here"]
    file.write_text("")
    wall.engine.rulebook.poll()
    assert isinstance(wall.do(AcceptEdit(wall.status.outside_edit.hash, accept=False)), Done)
    for text in ("", "# twice\n", ""):
        file.write_text(text)
        wall.engine.rulebook.poll()
        assert in_project(wall, project, "look")["rules"] == ["here"]
    assert wall.status.outside_edit is None


def test_a_projects_file_hides_none_above_it(wall, project):
    (project.parent / ".mcpwall.toml").write_text(HERE)
    (project / ".mcpwall.toml").write_text('[defaults]\nread = "ask"\n')
    assert in_project(wall, project, "look")["rules"] == ["here"]


def test_a_new_projects_file_is_in_force_at_once(wall, project):
    assert in_project(wall, project, "look") is None
    (project / ".mcpwall.toml").write_text(HERE)
    wall.engine.rulebook.poll()
    assert in_project(wall, project, "look")["rules"] == ["here"]


def test_p06_a_projects_file_loosens_nothing(wall, project):
    (project / ".mcpwall.toml").write_text('[[rules]]\ntool = "*"\naction = "allow"\n')
    facts = in_project(wall, project, "wipe")
    assert facts["action"] == "deny"


def test_p06_a_projects_file_that_does_not_load_denies_until_it_does(wall, project):
    file = project / ".mcpwall.toml"
    file.write_text("[[rules]\n")
    facts = in_project(wall, project, "look")
    assert facts["cause"] == "fault"
    assert f"{file}:1" in facts["reason"]
    file.write_text("")
    wall.engine.rulebook.poll()
    assert in_project(wall, project, "look") is None
    file.unlink()
    wall.engine.rulebook.poll()
    file.write_text('[[rules]]\ntool = "look"\naction = "deny"\n')
    wall.engine.rulebook.poll()
    assert in_project(wall, project, "look")["action"] == "deny"


def test_p06_a_project_that_cannot_be_looked_at_denies(wall, project, monkeypatch):
    def no_entry(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("mcpwall.engine.projects.Path.lstat", no_entry)
    facts = in_project(wall, project, "look")
    assert facts["cause"] == "fault"
    monkeypatch.undo()
    wall.engine.rulebook.poll()
    assert in_project(wall, project, "look") is None


@pytest.mark.parametrize("kind", ["link", "directory"])
def test_p06_a_projects_file_of_another_kind_denies(wall, project, kind):
    file = project / ".mcpwall.toml"
    if kind == "link":
        file.symlink_to("elsewhere")
    else:
        file.mkdir()
    assert in_project(wall, project, "look")["cause"] == "fault"


def test_p06_a_users_edit_holds_in_the_project_too(wall, project):
    (project / ".mcpwall.toml").write_text(
        '[[rules]]\nid = "here"\ntool = "count"\naction = "deny"\n'
    )
    assert in_project(wall, project, "look") is None
    wall.edit(NO_LOOK)
    assert in_project(wall, project, "look")["rules"] == ["no-look"]
    assert in_project(wall, project, "count")["rules"] == ["here"]


@pytest.mark.parametrize("gone", [True, False])
def test_a_loosened_project_waits_for_agents_that_start_below_it_too(wall, project, gone):
    file = project / ".mcpwall.toml"
    file.write_text(HERE)
    assert in_project(wall, project, "look")["rules"] == ["here"]
    if gone:
        file.unlink()
    else:
        file.write_text("")
    below = project / "below"
    below.mkdir()
    assert in_project(wall, below, "look")["rules"] == ["here"]
    wall.engine.rulebook.poll()
    assert isinstance(wall.accept(wall.status.outside_edit), Done)
    assert in_project(wall, below, "look") is None


def restarted(wall, rules: str):
    """The engine ends, somebody edits the rules, an engine starts."""
    wall.drop()
    wall.config.write_text(rules)
    return Wall(wall.path, clock=wall.clock)


def test_an_edit_that_loosens_while_no_engine_runs_waits_for_the_person_too(wall):
    after = restarted(wall, LOOSER)
    assert denied(after, "wipe") == ["never"]
    edit = after.status.outside_edit
    assert "never" in " ".join(edit.what)
    assert after.accept(edit) == Done("accepted")
    assert denied(after, "wipe") is None
    again = restarted(after, LOOSER)
    assert again.status.outside_edit is None
    assert denied(again, "wipe") is None
    again.drop()


def test_an_edit_that_tightens_while_no_engine_runs_is_in_force_at_once(wall):
    after = restarted(wall, NO_LOOK)
    assert after.status.outside_edit is None
    assert denied(after, "look") == ["no-look"]
    again = restarted(after, RULES)  # what it tightened is remembered as well
    assert denied(again, "look") == ["no-look"]
    again.drop()


def test_a_file_broken_while_no_engine_runs_leaves_the_last_good_rules_in_force(wall):
    after = restarted(wall, BROKEN)
    assert denied(after, "wipe") == ["never"]
    assert "config.toml:24" in after.status.config_error
    after.drop()


def test_rules_that_cannot_be_remembered_are_in_force_and_said(wall):
    copy = wall.path / "state" / "config.accepted.toml"
    copy.unlink()
    copy.mkdir()
    wall.edit(NO_LOOK)
    assert denied(wall, "look") == ["no-look"]
    events = wall.engine.feed.since(wall.engine.feed.first).events
    said = [event.text for event in events if isinstance(event, NoticeEvent)]
    assert any("config.accepted.toml" in text for text in said)


def test_the_copy_is_the_users_alone(wall):
    copy = wall.path / "state" / "config.accepted.toml"
    assert copy.stat().st_mode & 0o777 == 0o600
    copy.chmod(0o666)
    wall.drop()
    with pytest.raises(UnsafeFileError):
        Wall(wall.path, clock=wall.clock)
