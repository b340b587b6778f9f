"""`mcpwall import FILE`: a policy that was published for another wall becomes rules of this one.

Writes config.toml as the app does, comments and order kept, in one step or not at all. No engine
is asked: one that runs finds the edit by itself, and what permits more than before waits for a
key in the app.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcpwall import home
from mcpwall.cli.errors import FAILED, USAGE, CliError

if TYPE_CHECKING:
    import argparse

SIZE_MAX: Final = 1 << 20  # bytes of a policy; those that are published have a few thousand


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall import`."""
    parser = subparsers.add_parser(
        "import",
        help="turn a policy made for another wall into rules",
        description="Add the rules that a published policy means to config.toml: PolicyLayer's "
        "JSON (.json) or Intercept's YAML (.yaml). Every point that had to be interpreted is "
        "printed; a policy that cannot be kept is refused whole, with exit code 2.",
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--server", metavar="NAME", default="", help="the server that the policy is for"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the TOML, write nothing")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Add a policy's rules, or print them. Raises CliError."""
    from mcpwall.importers.outcome import PolicyError
    from mcpwall.importers.read import read_policy
    from mcpwall.store.config import ConfigError
    from mcpwall.store.config_file import ConfigFile, loosens
    from mcpwall.store.edit import EditError, add_rules
    from mcpwall.text import visible

    path = home.config_file()
    try:
        policy = read_policy(_text(arguments.file), Path(arguments.file).name, arguments.server)
        file = ConfigFile.open(path)
        before = file.config
        after = add_rules(before, policy.rules)
    except PolicyError as error:
        raise CliError(f"{arguments.file}: {error}; nothing was imported", USAGE) from None
    except (ConfigError, EditError) as error:
        raise CliError(f"{error}; nothing was imported", USAGE) from None
    if arguments.dry_run:
        for point in policy.points:
            print(f"# {visible(point)}")
        for line in after.text.removeprefix(before.text).splitlines():
            print(visible(line))
        return 0
    try:
        file.add(policy.rules)
    except (ConfigError, EditError) as error:
        raise CliError(str(error), FAILED) from None
    for point in policy.points:
        print(f"note: {visible(point)}")
    added, known = len(after.rules) - len(before.rules), len(policy.rules)
    if not added:
        print(visible(f"{path}: all {known} rules are there already; nothing was changed"))
        return 0
    print(visible(f"{path}: {added} rules added" + (f" of {known}" if added < known else "")))
    if what := loosens(before, after):
        print(visible(f"an engine that runs asks in the app first: {'; '.join(what)}"))
    return 0


def _text(path: str) -> str:
    """The text of a policy's file. Raises CliError."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(SIZE_MAX + 1)
        if len(data) > SIZE_MAX:
            raise CliError(f"{path}: is larger than {SIZE_MAX >> 10} KiB; is it the file?", USAGE)
        return data.decode()
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", USAGE) from None
    except UnicodeDecodeError:
        raise CliError(f"{path}: this is not UTF-8; save it as UTF-8", USAGE) from None
