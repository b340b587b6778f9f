"""`mcpwall completion`: scripts that the shells themselves take, and what they offer."""

import shutil
import subprocess

import pytest

from mcpwall.cli import main
from mcpwall.cli.commands import COMMANDS
from mcpwall.cli.completion import SHELLS, tree


@pytest.fixture
def script(tmp_path, capsys):
    """The script for a shell, in a file."""

    def make(shell):
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        assert main.run(["completion", shell]) == 0
        file = tmp_path / f"completion.{shell}"
        file.write_text(capsys.readouterr().out)
        return file

    return make


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_takes_the_script(script, shell):
    done = subprocess.run([shell, "-n", script(shell)], capture_output=True, check=True, text=True)
    assert done.stderr == ""


def by_bash(file, *words):
    """What bash would offer for the last word."""
    quoted = " ".join(f"'{word}'" for word in words)
    code = (
        f"source {file}; COMP_WORDS=(mcpwall {quoted}); COMP_CWORD={len(words)}; _mcpwall; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, check=True, text=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["un"], ["uninstall"]),
        (["rules", ""], ["list", "check", "test", "-h", "--help"]),
        (["rules", "list", "--"], ["--help", "--json"]),
        (["init", "--dry-run", "--ye"], ["--yes"]),
        (["init", "--agent", ""], []),  # a value: none is known
        (["completion", "z"], ["zsh"]),
        (["engine", "--b"], []),  # what is not for people
        (["nonsense", "li"], []),
    ],
)
def test_bash_offers_what_may_follow(script, words, offered):
    assert by_bash(script("bash"), *words) == offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("mcpwall uni", "uninstall"),
        ("mcpwall rules ch", "check"),
        ("mcpwall init --dr", "--dry-run"),
    ],
)
def test_fish_offers_what_may_follow_with_a_word_about_it(script, line, offered):
    code = f"source {script('fish')}; complete -C '{line}'"
    done = subprocess.run(["fish", "-c", code], capture_output=True, check=True, text=True)
    (only,) = done.stdout.splitlines()
    name, _, text = only.partition("\t")
    assert name == offered
    assert text


def test_every_command_and_none_that_is_hidden_is_in_the_tree():
    commands = {command.words: command for command in tree()}
    assert {name for name, _ in commands[()].commands} == set(COMMANDS)
    assert all((name,) in commands for name in COMMANDS)
    options = [name for c in commands.values() for o in c.options for name in o.names]
    assert "--background" not in options


def test_what_is_said_of_a_command_is_the_start_of_its_help():
    commands = {command.words: command for command in tree()}
    lines = dict(commands[()].commands)
    assert lines["tools"] == "every tool of every server"
    since = next(o for o in commands[("log",)].options if "--since" in o.names)
    assert since.help == "not before TIME"


def test_an_unknown_shell_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as caught:
        main.run(["completion", "csh"])
    assert caught.value.code == 2
    assert "--help`" in capsys.readouterr().err
