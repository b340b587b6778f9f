"""The commands of `mcpwall`, and the parser of their arguments.

A command's module is imported only when that command is asked for, so `mcpwall --help` and each
command start without the weight of the others. A command module offers `register(subparsers)`,
which adds its parser and sets `func`: a function from parsed arguments to an exit code.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Final, NoReturn

from mcpwall import __version__
from mcpwall.cli.errors import USAGE

# name -> module with `register`, line in `mcpwall --help`
COMMANDS: Final = {
    "stdio": ("mcpwall.shim", "run in place of a stdio server: stdio NAME [-- CMD …]"),
    "url": ("mcpwall.cli.url", "the URL and header for agents that take URLs"),
    "login": ("mcpwall.cli.login", "log in at a remote server"),
    "logout": ("mcpwall.cli.logout", "end the login at a remote server"),
    "engine": ("mcpwall.cli.engine", "run the engine in the foreground"),
    "stop": ("mcpwall.cli.stop", "stop the engine; its sessions end"),
    "status": ("mcpwall.cli.status", "engine, sessions, servers and waiting calls"),
    "watch": ("mcpwall.cli.watch", "print what happens as plain lines"),
    "init": ("mcpwall.cli.init", "route agents' servers through the wall"),
    "uninstall": ("mcpwall.cli.uninstall", "put agents' configs back as they were"),
    "doctor": ("mcpwall.cli.doctor", "what is set up, what is not, and what to do"),
    "tools": ("mcpwall.cli.tools", "every tool of every server: risk, pin, rule that applies"),
    "rules": ("mcpwall.cli.rules", "list, check or test the rules"),
    "import": ("mcpwall.cli.import_", "turn a policy made for another wall into rules"),
    "log": ("mcpwall.cli.log", "show recorded calls"),
    "replay": ("mcpwall.cli.replay", "judge the recorded calls again"),
    "audit": ("mcpwall.cli.audit", "verify the record of calls"),
    "completion": ("mcpwall.cli.completion", "a completion script for your shell"),
    "demo": ("mcpwall.cli.demo", "see the whole product in a minute, in a scratch home"),
}


class _Parser(argparse.ArgumentParser):
    def format_help(self) -> str:
        """The help, with examples behind it."""
        from mcpwall.cli import examples  # needed for help alone

        return super().format_help() + examples.shown(self.prog.removeprefix("mcpwall").strip())

    def error(self, message: str) -> NoReturn:
        """A usage error in one line, as every other error."""
        self.exit(USAGE, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def build_parser(command: str) -> argparse.ArgumentParser:
    """The whole parser, in which only `command` knows its arguments; "" for none of them."""
    parser = _Parser(
        prog="mcpwall",
        description="A firewall between AI agents and MCP servers. Without a command: open the "
        "app, and start the engine if none runs.",
        epilog="MCPWALL_HOME=DIR keeps config, state and socket under DIR.",
    )
    parser.add_argument("--version", action="version", version=f"mcpwall {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (module, line) in COMMANDS.items():
        if name == command:
            importlib.import_module(module).register(commands)
        else:
            commands.add_parser(name, help=line, add_help=False)
    return parser
