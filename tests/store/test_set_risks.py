"""`[servers.NAME.risk]`: what it says, what is wrong in it, which edits of it wait for a key."""

import pytest

from mcpwall.model import Risk
from mcpwall.policy.set_risk import Word
from mcpwall.store.config import ConfigError, load_text
from mcpwall.store.config_file import loosens


def config(text):
    return load_text(text, "config.toml")


def table(*lines, more=""):
    return config("\n".join([more, "[servers.git.risk]", *lines, ""]))


def error(text):
    with pytest.raises(ConfigError) as caught:
        config(text)
    return str(caught.value)


def test_each_tool_has_its_class_and_the_line_where_it_stands():
    text = '# mine\n[servers.git.risk]\npush = "destructive"\n\n"odd[*]" = "read"\n'
    word = config(text).word("git")
    assert {name: (said.risk, str(said.origin.line)) for name, said in word.risks.items()} == {
        "push": (Risk.DESTRUCTIVE, "3"),
        "odd*": (Risk.READ, "5"),
    }
    assert word.risks["push"].origin.file == "config.toml"
    assert config(text).servers == {}


@pytest.mark.parametrize("way", ['command = ["git-server"]', 'url = "https://mcp.example"'])
def test_it_stands_beside_any_way_to_a_server(way):
    beside = f'[servers.git]\n{way}\ntrust_hints = true\nrisk = {{ push = "write" }}\n'
    word = config(beside).word("git")
    assert (word.trusted, word.risks["push"].risk) == (True, Risk.WRITE)
    assert config(beside).word("other") == Word()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('push = "exec"', "risk.push must be one of read, write, execute, destructive, financial"),
        ('push = "destructiv"', "did you mean 'destructive'?"),
        ('push = "unknown"', "not 'unknown'"),
        ("push = 1", "risk.push must be a string, not a number"),
        ('"get_*" = "read"', "risk.get_* names no single tool; set a class for each tool"),
        ('"!push" = "read"', "names no single tool"),
        ('"" = "read"', "names no single tool"),
        ('"a[" = "read"', "is no name of a tool"),
        ('"a[b]" = "read"\nab = "write"', "'ab' means the same tool as 'a[b]'; keep one of them"),
        ("", "risk is empty; leave it out"),
    ],
)
def test_what_is_wrong_has_its_line_and_what_to_do(line, said):
    found = error(f"# a\n[servers.git.risk]\n{line}\n")
    assert said in found
    assert found.startswith("config.toml:")


def test_a_misspelt_key_is_told_from_the_right_one():
    assert "did you mean 'risk'?" in error('[servers.git.risks]\npush = "read"\n')


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", 'push = "read"', "the risk of git.push is set to read, whatever the wall finds"),
        ("", 'push = "write"', "the risk of git.push is set to write, whatever the wall finds"),
        ('push = "execute"', 'push = "write"', "the risk of git.push goes from execute to write"),
        ('push = "execute"', "", "the risk of git.push is no longer set to execute"),
        ("", 'push = "destructive"', ""),
        ('push = "read"', 'push = "write"', ""),
        ('push = "read"', "", ""),
        ('push = "execute"', 'push = "financial"', ""),
        ('push = "read"', '# moved\npush = "read"', ""),
    ],
)
def test_an_edit_from_outside_that_may_lower_a_class_loosens(before, after, said):
    base = '[servers.git]\ndefault = "deny"\n'
    old, new = (
        config(f"{base}[servers.git.risk]\nx = 'read'\n{line}\n") for line in (before, after)
    )
    assert loosens(old, new) == ((said,) if said else ())


def test_what_a_class_may_do_follows_the_rules():
    rules = '[[rules]]\nid = "r"\nrisk = "write"\naction = "deny"\n'
    old, new = table('push = "write"', more=rules), table('push = "execute"', more=rules)
    assert loosens(old, new) == ("the risk of git.push goes from write to execute",)
    assert loosens(new, old) == ("the risk of git.push goes from execute to write",)  # two keys


def test_p06_a_project_may_only_add_classes_to_a_servers_tools():
    read = load_text('[servers.git.risk]\npush = "write"\n', ".mcpwall.toml", project=True)
    assert read.risks["git"]["push"].risk is Risk.WRITE
    assert read.risks["git"]["push"].origin.project
    for line in ('command = ["git"]', "trust_hints = true", 'default = "hide"'):
        with pytest.raises(ConfigError, match="may only set the risk"):
            load_text(f"[servers.git]\n{line}\n", ".mcpwall.toml", project=True)
