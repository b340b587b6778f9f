"""The command line's front door: opens the app or runs a command, turns errors into one line."""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import TYPE_CHECKING, Final

from mcpwall import home
from mcpwall.cli.errors import FAILED, NO_ENGINE, CliError

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED: Final = 130  # what a shell reports for a command that Ctrl-C ended


def _run(argv: Sequence[str]) -> int:
    if not argv:
        from mcpwall.cli import app  # the weight of the app only when it is asked for

        return app.run()
    from mcpwall.cli.commands import build_parser  # the app has no arguments to parse

    arguments = build_parser(argv[0]).parse_args(argv)
    code: int = arguments.func(arguments)
    return code


def run(argv: Sequence[str]) -> int:
    """Run the command line `argv` (without the program's name); returns its exit code.

    Raises SystemExit from argparse alone: 0 after help, 2 after a usage error.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a sign that the locale has not: \u2026
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()  # here a reader that went away can still be met quietly
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has all it wanted (`| head`). What is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  the last stop: every error becomes one line
        return _report(error)


def _report(error: Exception) -> int:
    """Print `error` as one line on stderr; returns the exit code that belongs to it."""
    from mcpwall.engine.port import EngineGoneError  # needed only when something failed
    from mcpwall.text import visible

    if os.environ.get("MCPWALL_DEBUG") == "1":
        traceback.print_exception(error)
    match error:
        case CliError():
            text, code = str(error), error.exit_code
        case EngineGoneError():
            text, code = str(error), NO_ENGINE
        case _:
            text = (
                f"unexpected {type(error).__name__}: {error}; MCPWALL_DEBUG=1 shows where, "
                f"{home.log_file()} has what the engine said"
            )
            code = FAILED
    print(f"mcpwall: {visible(text)}", file=sys.stderr)
    return code
