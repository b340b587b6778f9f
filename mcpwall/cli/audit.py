"""`mcpwall audit verify`: whether the record still is what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpwall.cli.errors import FAILED, CliError

if TYPE_CHECKING:
    import argparse


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall audit`."""
    parser = subparsers.add_parser(
        "audit",
        help="verify the record of calls",
        description="Look after the record of calls. `mcpwall log` shows what is in it.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    verify = commands.add_parser(
        "verify",
        help="check every row of the record",
        description="Check every row of the record against the one before it, and the record "
        "against the heads that were noted beside it. Exit code 1 if anything does not fit.",
        epilog="Whoever can write to the record can write to the heads beside it too. A copy of "
        "them in a place that this account cannot change shows what the ones here cannot.",
    )
    verify.add_argument("--heads", metavar="FILE", help="a copy of audit.heads kept elsewhere")
    verify.set_defaults(func=run_verify)


def run_verify(arguments: argparse.Namespace) -> int:
    """Print what does not fit, or that all does. Raises CliError."""
    from mcpwall.cli.record import open_record
    from mcpwall.store.faults import AuditError
    from mcpwall.text import visible

    try:
        with open_record() as reader:
            report = reader.verify(arguments.heads)
    except AuditError as error:
        raise CliError(str(error)) from None
    for problem in report.problems:
        print(visible(problem))  # a record that was tampered with holds what it likes
    if report.problems:
        print(f"{len(report.problems)} of {report.rows} rows and {report.heads} heads do not fit")
        return FAILED
    print(
        f"{report.rows} rows and {report.heads} heads fit; "
        f"the last is row {report.head.seq}, {report.head.chain.hex()}"
    )
    return 0
