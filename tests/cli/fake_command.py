"""A command for the tests of the front door: `fake ERROR` fails with that error."""

import sys

from mcpwall.cli.errors import CliError
from mcpwall.engine.port import EngineGoneError

ERRORS = {
    "cli": CliError("config.toml:3: unknown key 'tol'; did you mean 'tool'?", 2),
    "engine": EngineGoneError("no engine runs; `mcpwall` starts one"),
    "bug": ZeroDivisionError("by \x1b[31mzero\nagain"),
    "interrupt": KeyboardInterrupt(),
}


def register(subparsers):
    parser = subparsers.add_parser("fake")
    parser.add_argument("error", nargs="?")
    parser.set_defaults(func=run)


def run(arguments):
    if arguments.error is None:
        sys.stdout.write("done\n")
        return 0
    raise ERRORS[arguments.error]
