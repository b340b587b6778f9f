import os
import re
import shlex
import subprocess
import sys

import pytest

import mcpwall
from mcpwall.cli import commands, main
from mcpwall.cli.completion import tree
from mcpwall.cli.examples import EXAMPLES
from tests.helpers.programs import environment


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setitem(commands.COMMANDS, "fake", ("tests.cli.fake_command", "for tests"))
    monkeypatch.delenv("MCPWALL_DEBUG", raising=False)


# --- what went wrong, in one line and a code --------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("cli", 2, "mcpwall: config.toml:3: unknown key 'tol'; did you mean 'tool'?\n"),
        ("engine", 3, "mcpwall: no engine runs; `mcpwall` starts one\n"),
        ("interrupt", 130, ""),
    ],
)
def test_an_error_is_one_line_and_a_code(capsys, error, code, said):
    assert main.run(["fake", error]) == code
    assert capsys.readouterr() == ("", said)


def test_an_unexpected_error_names_the_log_and_shows_nothing_foreign_raw(capsys, monkeypatch):
    monkeypatch.setenv("MCPWALL_HOME", "/h")
    assert main.run(["fake", "bug"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "ZeroDivisionError: by ‹ESC›[31mzero␊again" in err
    assert "/h/state/engine.log" in err
    assert "MCPWALL_DEBUG=1" in err


def test_debugging_shows_where(capsys, monkeypatch):
    monkeypatch.setenv("MCPWALL_DEBUG", "1")
    assert main.run(["fake", "bug"]) == 1
    assert "fake_command.py" in capsys.readouterr().err


def test_a_command_that_works(capsys):
    assert main.run(["fake"]) == 0
    assert capsys.readouterr() == ("done\n", "")


@pytest.mark.parametrize(
    "arguments", [["bogus"], ["--bogus"], ["fake", "--bogus"], ["fake", "a", "b"]]
)
def test_a_usage_error_is_one_line_too(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main.run(arguments)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "--help`" in err


def test_a_reader_that_goes_away_is_no_error():
    readable, writable = os.pipe()
    os.close(readable)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mcpwall", "--help"],
            env=environment(),
            stdout=writable,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writable)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_locale_without_a_sign_still_gets_the_line():
    done = subprocess.run(
        [sys.executable, "-m", "mcpwall", "--help"],
        env={**environment(), "PYTHONIOENCODING": "iso8859-1"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"stdio NAME [-- CMD \\u2026]" in done.stdout


# --- help, and what is imported for it ---------------------------------------------------------


def test_help_names_every_command_and_its_line(capsys):
    with pytest.raises(SystemExit) as caught:
        main.run(["--help"])
    assert caught.value.code == 0
    out = " ".join(capsys.readouterr().out.split())
    for name, (_, line) in commands.COMMANDS.items():
        assert f"{name} {line}" in out


COMMAND_LINES = [(command, line) for command, some in EXAMPLES.items() for line, _ in some]


@pytest.mark.parametrize(("command", "line"), COMMAND_LINES)
def test_every_example_is_a_command_line_of_its_command(command, line):
    words = shlex.split(re.sub(r'eval "\$\((.*)\)"', r"\1", line).partition(" > ")[0])
    assert words[0] == "mcpwall"
    if command:
        assert " ".join(words[1:]).startswith(command)
    if words[1:]:
        commands.build_parser(words[1]).parse_args(words[1:])


@pytest.mark.parametrize("words", [c.words for c in tree() if c.words != ("stdio",)])
def test_every_command_says_what_it_does_and_how_it_is_used(capsys, words):
    with pytest.raises(SystemExit):
        main.run([*words, "--help"])
    out = capsys.readouterr().out
    usage, description, *_ = out.split("\n\n")
    assert usage.startswith("usage: mcpwall")
    assert not description.startswith(("positional", "options"))
    assert "\nexamples:\n  " in out


def test_the_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main.run(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"mcpwall {mcpwall.__version__}\n"


def imported_by(*arguments: str) -> set[str]:
    """The modules that a whole run of `mcpwall` adds to those of a bare interpreter."""
    code = (
        "import atexit, sys; before = set(sys.modules); "
        "atexit.register(lambda: print(*set(sys.modules) - before, file=sys.stderr)); "
        "from mcpwall.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(),
        text=True,
        capture_output=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def own(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "mcpwall"} - {
        "mcpwall",
        "mcpwall.__main__",
    }


FRONT_DOOR = {"mcpwall.home", "mcpwall.cli", "mcpwall.cli.errors", "mcpwall.cli.main"}


HELP = FRONT_DOOR | {"mcpwall.cli.commands", "mcpwall.cli.examples"}


def test_help_imports_no_command():
    assert own(imported_by("--help")) == HELP


def test_a_command_imports_itself_alone():
    modules = imported_by("status", "--help")
    assert own(modules) == HELP | {"mcpwall.cli.status"}
    assert not modules & {"asyncio", "msgspec", "textual"}


def test_the_shim_imports_the_standard_library_and_itself():
    modules = imported_by("stdio", "--help")
    parts = ("home", "server_process", "shim", "starter")
    assert own(modules) == {f"mcpwall.{part}" for part in parts}
    assert {name.partition(".")[0] for name in modules} <= sys.stdlib_module_names | {"mcpwall"}
    assert not modules & {"argparse", "asyncio", "json", "subprocess"}
