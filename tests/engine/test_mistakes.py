"""A file that does not load: every mistake with its line, and the rule that it stands in."""

from __future__ import annotations

import pytest

from mcpwall.engine.mistakes import mistakes
from mcpwall.store.config import ConfigError, load_text
from tests.engine.wall import RULES, call

GOOD = """\
[defaults]
read = "allow"

[[rules]]
id = "first"
tool = "a"
action = "deny"

[[rules]]
tool = "b"
action = "ask"

[servers.x]
command = ["x"]
"""


def found(text: str, good: str = GOOD) -> list[tuple[int, str]]:
    with pytest.raises(ConfigError) as caught:
        load_text(text, "config.toml")
    told = mistakes(caught.value, "/etc/config.toml", load_text(good, "config.toml"))
    assert all(mistake.what and mistake.path == "/etc/config.toml" for mistake in told)
    return [(mistake.line, mistake.rule) for mistake in told]


@pytest.mark.parametrize(
    ("written", "broken", "where"),
    [
        ('tool = "a"', 'tol = "a"', [(6, "first")]),
        ('action = "ask"', 'action = "aks"', [(11, "b")]),  # known by its place
        ('action = "ask"', "action = ", [(11, "b")]),  # not even TOML
        ('read = "allow"', 'read = "alow"', [(2, "")]),
        ('command = ["x"]', "command = 5", [(14, "")]),
        ('id = "first"', 'id = "other"\nwho = 1', [(6, "")]),  # no rule in force has this id
    ],
)
def test_a_mistake_is_told_with_the_rule_in_force_that_it_concerns(
    written: str, broken: str, where: list[tuple[int, str]]
) -> None:
    good = load_text(GOOD, "config.toml")
    names = {"b": good.tables[1].id}
    assert found(GOOD.replace(written, broken)) == [
        (line, names.get(rule, rule)) for line, rule in where
    ]


def test_every_mistake_is_told() -> None:
    text = GOOD.replace('tool = "a"', 'tol = "a"').replace('"ask"', '"aks"')
    assert [line for line, _ in found(text)] == [6, 11]


def test_a_new_rule_without_an_id_is_nobody_elses() -> None:
    assert found(GOOD + '\n[[rules]]\ntool = "c"\naction = "dney"\n')[0][1] == ""


def test_a_table_within_a_rule_belongs_to_it() -> None:
    text = GOOD.replace('tool = "a"\naction', 'tool = "a"\n[rules.when]\npath.globb = "x"\n#')
    assert found(text)[0][1] == "first"


def test_the_status_has_them_until_the_file_loads_again(wall) -> None:
    wall.edit(RULES.replace('tool = "wipe"', 'tol = "wipe"', 1))
    (mistake,) = wall.status.mistakes
    assert mistake.rule == "never"
    assert mistake.path == str(wall.config)
    assert f"config.toml:{mistake.line}" in wall.status.config_error
    wall.edit(RULES + '\n[[rules]]\nactoin = "deny"\ntool = 5\n')
    assert len(wall.status.mistakes) > 1
    wall.edit(RULES)
    assert wall.status.mistakes == ()


def test_a_projects_file_that_does_not_load_is_told_with_its_path(wall, tmp_path) -> None:
    file = tmp_path / "here" / ".mcpwall.toml"
    file.parent.mkdir()
    file.write_text('[[rules]]\ntool = "look"\naction = "dney"\n')
    talk = wall.session(directory=str(file.parent))
    talk.asks(call(1, "look"))
    (mistake,) = wall.status.mistakes
    assert (mistake.path, mistake.line) == (str(file), 3)
    file.write_text('[[rules]]\ntool = "look"\naction = "deny"\n')
    wall.engine.rulebook.poll()
    assert wall.status.mistakes == ()
