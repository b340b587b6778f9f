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
        (["rules", "check", "-"], ["-h", "--help"]),
    ],
)
def test_bash_offers_what_may_follow(script, words, offered):
    assert by_bash(script("bash"), *words) == offered


TAKES_FILE = {
    *("import", "rules check", "rules test", "stdio git"),
    *("rules test --config", "replay --config", "audit verify --heads"),
}
TAKES_NONE = {  # besides the commands that take none
    *("log --since", "log -n", "import --server", "init --agent", "rules list", "tools git"),
}


def asked_of_bash(lines):
    """Code that says, a line each, what is offered behind each of these."""
    yield 'compopt() { printf "%s " quota.json; }'  # what readline then does
    for line in lines:
        words = ["mcpwall", *line.split(), "qu"]
        yield f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _mcpwall"
        yield 'echo "${COMPREPLY[@]}"'


def asked_of_zsh(lines):
    """The same, by what its own functions are told: `*:what:how to complete it`."""
    yield "_describe() { }"
    for line in lines:
        words = line.split()
        start = f"{words[-1]}*_files" if words and words[-1].startswith("-") else "\\*:*_files"
        command = [word for word in words if not word.startswith("-") and word != "git"]
        yield f"_arguments() {{ for spec; do [[ $spec == {start} ]] && print -n quota.json; done }}"
        yield f"{'_'.join(('_mcpwall', *command))}; print"


def asked_of_fish(lines):
    """The same for fish."""
    for line in lines:
        yield f"echo (complete -C 'mcpwall {line} qu')"


@pytest.mark.parametrize("shell", SHELLS)
def test_files_are_offered_where_one_is_meant_and_nowhere_else(script, tmp_path, shell):
    (tmp_path / "quota.json").touch()
    without = {" ".join(command.words) for command in tree() if not command.takes_file}
    lines = sorted(TAKES_FILE | TAKES_NONE | without)
    ask = {"bash": asked_of_bash, "zsh": asked_of_zsh, "fish": asked_of_fish}[shell]
    source = f"source {script(shell)} {'>/dev/null 2>&1' if shell == 'zsh' else ''}"
    code = "\n".join([source, *ask(lines)])
    done = subprocess.run(
        [shell, "-c", code], capture_output=True, check=True, text=True, cwd=tmp_path
    )
    offered = dict(zip(lines, done.stdout.split("\n"), strict=False))
    assert {line for line in lines if offered[line].strip() == "quota.json"} == TAKES_FILE
    assert {line for line in lines if not offered[line].strip()} == TAKES_NONE | without


def test_bash_before_its_fourth_version_completes_files_too(script, tmp_path):
    (tmp_path / "quota.json").touch()
    file = script("bash")
    code = (
        f"cd {tmp_path}; source {file}; COMP_WORDS=(mcpwall import qu); COMP_CWORD=2; "
        'compopt() { return 1; }; _mcpwall; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["quota.json"]


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
