"""Adding rules in one step: comments above, what is there already left out, all or nothing."""

import pytest

from mcpwall.store.config import ConfigError, load_text
from mcpwall.store.config_file import ConfigFile
from mcpwall.store.edit import EditError, add_rules

OLD = '# mine\n[[rules]]\nid = "old"\ntool = "a"\naction = "deny"'
ONE = ({"id": "one", "tool": "b", "action": "ask"}, "where one comes from")
TWO = ({"id": "two", "tool": "c", "rate_limit": {"max": 3, "window": 60}}, "")


def test_rules_are_added_at_the_end_each_under_its_comment():
    new = add_rules(load_text(OLD, "c"), [ONE, TWO])
    assert new.text == (
        f"{OLD}\n\n# where one comes from\n[[rules]]\n"
        'id = "one"\ntool = "b"\naction = "ask"\n\n[[rules]]\n'
        'id = "two"\ntool = "c"\nrate_limit = {max = 3, window = 60}\n'
    )
    assert [rule.id for rule in new.rules] == ["old", "one", "two"]


def test_line_ends_stay_as_they_are():
    new = add_rules(load_text(OLD.replace("\n", "\r\n"), "c"), [ONE])
    assert new.text.count("\n") == new.text.count("\r\n")


def test_rules_that_are_there_are_left_out():
    config = add_rules(load_text(OLD, "c"), [ONE])
    assert add_rules(config, [ONE]) is config
    assert add_rules(config, [ONE, TWO, TWO]).text == add_rules(config, [TWO]).text


@pytest.mark.parametrize("other", [{"action": "ask"}, {"action": "deny", "enabled": False}])
def test_a_taken_id_is_refused(other):
    config = load_text(OLD, "c")
    with pytest.raises(EditError, match="a rule old already, which says something else"):
        add_rules(config, [TWO, ({"id": "old", "tool": "a", **other}, "")])


def test_rules_that_make_no_sense_change_nothing(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(OLD)
    path.chmod(0o600)
    file = ConfigFile.open(str(path))
    with pytest.raises(ConfigError):
        file.add([ONE, ({"id": "bad", "action": "perhaps"}, "")])
    assert path.read_text() == OLD


def test_all_are_written_and_undone_in_one_step(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(OLD)
    path.chmod(0o600)
    file = ConfigFile.open(str(path))
    file.add([ONE, TWO])
    assert path.read_text() == add_rules(load_text(OLD, "c"), [ONE, TWO]).text
    file.undo()
    assert path.read_text() == OLD
    file.add([])
    assert file.undo_steps == 0
