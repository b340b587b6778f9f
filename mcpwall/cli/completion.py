"""`mcpwall completion SHELL`: a completion script, made from the commands' own parsers.

What is completed are commands, their subcommands and options, and files where a file is meant. The
script asks nothing of mcpwall when it runs, so it costs a shell no time.
"""

from __future__ import annotations

import argparse
import enum
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

SHELLS: Final = ("bash", "zsh", "fish")
_WIDTH: Final = 60  # characters of a description; menus are narrow
_FILES: Final = ("FILE", "CALL.json")  # how a help text calls what is a file


class Value(enum.Enum):
    """What follows an option."""

    NONE = enum.auto()
    FILE = enum.auto()
    OTHER = enum.auto()  # nothing that a shell could know


@dataclass(frozen=True, slots=True)
class Option:
    """An option's names, what it is for, and what follows it."""

    names: tuple[str, ...]
    help: str
    value: Value


@dataclass(frozen=True, slots=True)
class Command:
    """A command by its words: what may follow, a line of help for each, and its options."""

    words: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]
    options: tuple[Option, ...]
    takes_file: bool = False


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall completion`."""
    parser = subparsers.add_parser(
        "completion",
        help="a completion script for your shell",
        description="Print a script that lets your shell complete the commands and options of "
        "mcpwall.",
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    commands = list(tree())
    script = {"bash": bash, "zsh": zsh, "fish": fish}[arguments.shell]
    print(script(commands), end="")
    return 0


def tree() -> Iterator[Command]:
    """Every command, the program itself first."""
    from mcpwall.cli.commands import COMMANDS, build_parser

    top = build_parser("")
    yield from _commands(top, (), below=False)
    for name in COMMANDS:
        if name == "stdio":  # its words are the shim's, and its options a server's
            yield Command((name,), (), (), takes_file=True)
        else:
            yield from _commands(_subparsers(build_parser(name))[name], (name,))


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]  # noqa: SLF001 - argparse has no other way in
    return dict(found[0].choices) if found else {}


def _commands(
    parser: argparse.ArgumentParser, words: tuple[str, ...], *, below: bool = True
) -> Iterator[Command]:
    inner = _subparsers(parser)
    helps: dict[str, str] = {}
    options = []
    takes_file = False
    for action in parser._actions:  # noqa: SLF001 - argparse offers no other way to look at a parser
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - argparse has no other way in
            helps = {one.dest: one.help or "" for one in action._choices_actions}  # noqa: SLF001 - argparse has no other way in
        elif action.help == argparse.SUPPRESS:
            continue
        elif action.option_strings:
            names = tuple(action.option_strings)
            options.append(Option(names, _short(action.help), _value(action)))
        elif action.choices:
            helps |= {str(choice): "" for choice in action.choices}
        elif _value(action) is Value.FILE:
            takes_file = True
    known = tuple((name, _short(text)) for name, text in helps.items())
    yield Command(words, known, tuple(options), takes_file)
    if below:
        for name, one in inner.items():
            yield from _commands(one, (*words, name))


def _value(action: argparse.Action) -> Value:
    if action.nargs == 0:
        return Value.NONE
    return Value.FILE if action.metavar in _FILES else Value.OTHER


def _short(text: str | None) -> str:
    """The start of a help text, without signs that a shell would read."""
    plain = re.split(r"; | \(|: ", (text or "").replace("%(default)g", ""))[0]
    safe = "".join(sign for sign in plain if sign not in "'\"`$\\[]:")
    return textwrap.shorten(safe, _WIDTH, placeholder="")


def _after(command: Command) -> list[str]:
    names = [name for option in command.options for name in option.names]
    return [*(name for name, _ in command.commands), *names]


def bash(commands: list[Command]) -> str:
    """The script for bash, which has no descriptions."""
    cases = "".join(
        f"    {' '.join(command.words)!r}) words={' '.join(_after(command))!r}"
        f" files={'1' if command.takes_file else ''} ;;\n"
        for command in commands
    )
    options = [option for command in commands for option in command.options]

    def names(value: Value) -> str:
        return " | ".join(sorted({n for o in options if o.value is value for n in o.names}))

    return f"""\
# mcpwall completion for bash
_mcpwall() {{
  local at path='' next words='' files='' here="${{COMP_WORDS[COMP_CWORD]}}"
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    next="${{path:+$path }}${{COMP_WORDS[at]}}"
    _mcpwall_words "$next" && path="$next"
  done
  case "${{COMP_WORDS[COMP_CWORD - 1]}}" in
    {names(Value.FILE)}) _mcpwall_files "$here"; return ;;
    {names(Value.OTHER)}) return ;;
  esac
  _mcpwall_words "$path"
  if [[ $files && $here != -* ]]; then
    _mcpwall_files "$here"
  else
    COMPREPLY=($(compgen -W "$words" -- "$here"))
  fi
}}
_mcpwall_words() {{
  case "$1" in
{cases}    *) return 1 ;;
  esac
}}
_mcpwall_files() {{  # bash 3 has no compopt
  compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$1"))
}}
complete -F _mcpwall mcpwall
"""


def zsh(commands: list[Command]) -> str:
    """The script for zsh: a function for each command."""
    parts = ["#compdef mcpwall\n# mcpwall completion for zsh\n"]
    values = {Value.NONE: "", Value.FILE: ":file:_files", Value.OTHER: ":value: "}
    for command in commands:
        specs = [
            f"    '{name}[{option.help}]{values[option.value]}' \\\n"
            for option in command.options
            for name in option.names
        ]
        function = "_".join(("_mcpwall", *command.words)).replace("-", "_")
        if not command.commands or command.words == ("completion",):
            words = " ".join(name for name, _ in command.commands)
            what = (
                f"what:({words})" if words else "file:_files" if command.takes_file else "value: "
            )
            rest = f"'*:{what}'"
            parts.append(f"{function}() {{\n  _arguments \\\n{''.join(specs)}    {rest}\n}}\n")
            continue
        names = "".join(f"    '{name}:{text}'\n" for name, text in command.commands)
        inner = "".join(
            f"      {name}) {function}_{name.replace('-', '_')} ;;\n"
            for name, _ in command.commands
        )
        parts.append(
            f"{function}() {{\n  local state line\n  local -a commands=(\n{names}  )\n"
            f"  _arguments -C \\\n{''.join(specs)}    '1:command:->command' '*::rest:->rest'\n"
            f"  case $state in\n    command) _describe command commands ;;\n"
            f"    rest) case $line[1] in\n{inner}    esac ;;\n  esac\n}}\n"
        )
    return "\n".join([*parts, '_mcpwall "$@"\n'])


def fish(commands: list[Command]) -> str:
    """The script for fish."""
    lines = ["# mcpwall completion for fish", "complete -c mcpwall -f"]
    values = {Value.NONE: "", Value.FILE: " -r -F", Value.OTHER: " -x"}
    for command in commands:
        inner = " ".join(name for name, _ in command.commands)
        seen = [f"__fish_seen_subcommand_from {word}" for word in command.words]
        top = "" if seen else "__fish_use_subcommand"
        on = "; and ".join(seen) or top
        deeper = f"; and not __fish_seen_subcommand_from {inner}" if seen and inner else ""
        for name, text in command.commands:
            lines.append(f"complete -c mcpwall -n '{on}{deeper}' -a {name} -d '{text}'")
        if command.takes_file:
            lines.append(f"complete -c mcpwall -n '{on}' -F")
        for option in command.options:
            names = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                for name in option.names
            )
            about = f"{names}{values[option.value]} -d '{option.help}'"
            lines.append(f"complete -c mcpwall -n '{on}' {about}")
    return "\n".join(lines) + "\n"
