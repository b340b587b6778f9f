"""config.toml as it is changed from inside: whole, undone step by step, never on a stale file."""

import errno

import pytest

from mcpwall.store import files
from mcpwall.store.config import ConfigError, load_text
from mcpwall.store.config_file import TEMPLATE, UNDO_STEPS, ConfigFile, loosens
from mcpwall.store.edit import EditError
from tests.store.written import FILE


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "config.toml"
    files.write_atomic(str(path), FILE)
    return path


@pytest.fixture
def file(path):
    return ConfigFile.open(str(path))


def test_change_is_written_and_in_force(file, path):
    new = file.put({"tool": "x", "action": "deny"})
    assert file.config is new
    assert path.read_text() == new.text
    assert file.outside() is None


def test_missing_file_is_made_from_the_template(tmp_path):
    path = tmp_path / "new" / "config.toml"
    file = ConfigFile.open(str(path))
    assert file.config.text == ""
    file.put({"action": "deny"})
    assert path.read_text() == TEMPLATE + '[[rules]]\naction = "deny"\n'
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    file.undo()
    assert ConfigFile.open(str(path)).config.rules == ()


def test_undo_and_redo_walk_through_the_texts(file, path):
    texts = [
        FILE,
        file.put({"action": "deny"}).text,
        file.toggle("cap", enabled=False).text,
        file.drop("paths").text,
    ]
    assert (file.undo_steps, file.redo_steps) == (3, 0)
    for text in reversed(texts[:-1]):
        assert file.undo().text == text == path.read_text()
    with pytest.raises(EditError, match="nothing to undo"):
        file.undo()
    for text in texts[1:]:
        assert file.redo().text == text == path.read_text()
    with pytest.raises(EditError, match="nothing to redo"):
        file.redo()


def test_new_change_ends_what_could_be_redone(file):
    file.drop("cap")
    file.undo()
    file.drop("paths")
    assert (file.undo_steps, file.redo_steps) == (1, 0)


def test_p13_undo_is_bounded(file):
    for number in range(UNDO_STEPS + 5):
        file.toggle("cap", enabled=bool(number % 2))
    assert file.undo_steps == UNDO_STEPS


def test_refused_change_changes_nothing(file, path):
    with pytest.raises(ConfigError):
        file.put({"tool": []})
    assert path.read_text() == FILE == file.config.text
    assert file.undo_steps == 0


def test_outside_edit_is_seen_by_content(file, path):
    path.write_text(FILE)
    assert file.outside() is None
    path.write_text(FILE + "# more\n")
    assert file.outside().text == FILE + "# more\n"
    path.write_text("x")
    with pytest.raises(ConfigError):
        file.outside()


def test_accepted_outside_edit_is_in_force_and_undo_does_not_pass_it(file, path):
    file.drop("cap")
    path.write_text(FILE + "# more\n")
    with pytest.raises(EditError, match="edited outside"):
        file.undo()
    file.accept(file.outside())
    assert file.config.text == FILE + "# more\n"
    assert file.undo_steps == 0


def test_refused_outside_edit_is_written_over(file, path):
    path.write_text("x")
    file.put_back()
    assert path.read_text() == FILE


def test_change_comes_on_top_of_an_outside_edit_that_loosens_nothing(file, path):
    file.drop("cap")
    more = file.config.text + '\n[[rules]]\nid = "new"\naction = "deny"\n'
    path.write_text(more)
    file.toggle("paths", enabled=False)
    nameless = load_text(FILE, "config.toml").tables[1].id
    assert {rule.id for rule in file.config.rules} == {nameless, "paths", "new"}
    assert file.undo().text == more
    assert file.undo_steps == 0


def test_change_does_not_carry_a_loosening_outside_edit_into_force(file, path):
    loose = FILE.replace('action = "deny"', 'action = "allow"')
    path.write_text(loose)
    with pytest.raises(EditError, match="would permit more now"):
        file.put({"tool": "x", "action": "deny"})
    assert file.config.text == FILE
    assert path.read_text() == loose


def test_file_that_was_deleted_is_not_written_as_if_it_had_been_empty(file, path):
    path.unlink()
    with pytest.raises(EditError, match="would permit more now"):
        file.put({"tool": "x", "action": "deny"})
    assert not path.exists()


def test_change_of_a_file_that_does_not_load_is_refused(file, path):
    path.write_text("[[rules]\n")
    with pytest.raises(EditError, match=r"config\.toml:1: .*edited outside; mend it first"):
        file.put({"action": "deny"})
    assert path.read_text() == "[[rules]\n"


def test_p17_file_that_others_may_write_is_not_trusted_for_a_change(file, path):
    path.chmod(0o666)
    with pytest.raises(EditError, match="chmod go-w"):
        file.put({"action": "deny"})


def test_full_disk_leaves_file_and_rules_as_they_were(file, path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(EditError, match=r"nothing was saved.*No space left on device"):
        file.put({"action": "deny"})
    assert path.read_text() == FILE == file.config.text
    assert file.undo_steps == 0


def test_trusting_a_servers_hints_loosens():
    server = '[servers.git]\ncommand = ["git-server"]\n'
    plain, trusting = (load_text(server + more, "c") for more in ("", "trust_hints = true\n"))
    assert loosens(plain, trusting) == ("the hints of server git may lower the risk of its tools",)
    assert loosens(trusting, plain) == loosens(trusting, trusting) == ()


def test_moving_keys_loosens():
    plain, moved = (load_text(text, "c") for text in ("", '[keys]\nreview.allow = "d"\n'))
    assert loosens(plain, moved) == ("keys of the app do something else: review.allow",)
    assert loosens(moved, plain) == ("keys of the app do something else: review.allow",)
    assert loosens(moved, moved) == ()


REACHED = """\
[servers.git]
command = ["git-server"]
env = { TOKEN = "t" }

[servers.far]
url = "https://mcp.example/mcp"
headers = { Authorization = "Bearer ${env:TOKEN}" }
"""


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ('["git-server"]', '["sh", "-c", "evil"]', "git"),
        ('TOKEN = "t"', 'TOKEN = "t", PATH = "/tmp"', "git"),
        ('command = ["git-server"]', 'command = ["git-server"]\ncwd = "/tmp"', "git"),
        ("mcp.example", "evil.example", "far"),
        ("env:TOKEN", "env:OTHER", "far"),
        ("env:TOKEN", "keyring:a/b", "far"),
        ('url = "https://mcp.example/mcp"\nheaders', 'command = ["sh"]\nenv', "far"),
    ],
)
def test_another_way_to_a_known_server_loosens(old, new, name):
    assert REACHED.count(old) == 1
    before, after = (load_text(text, "c") for text in (REACHED, REACHED.replace(old, new)))
    said = (f"the server {name} is started or reached in another way",)
    assert loosens(before, after) == loosens(after, before) == said
    assert loosens(before, before) == ()


def test_servers_that_come_and_go_loosen_nothing():
    none, some = load_text("", "c"), load_text(REACHED, "c")
    slower = load_text(REACHED + "timeout = 9\n", "c")
    assert loosens(none, some) == loosens(some, none) == loosens(some, slower) == ()
