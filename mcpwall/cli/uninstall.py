"""`mcpwall uninstall`: put back what `mcpwall init` changed in agents' configs.

Byte for byte where an entry still is as init left it; where the person edited it since, the wall
is taken out and the edit stays; what cannot be told apart is left and named.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcpwall import home
from mcpwall.cli.errors import FAILED, USAGE, CliError
from mcpwall.cli.init import ask, can_ask, complain, options, show_diff

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcpwall.clients.ledger import Ledger, Record


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall uninstall`."""
    parser = subparsers.add_parser(
        "uninstall",
        help="put agents' configs back as they were",
        description="Take the wall out of the agents' configs again: what `mcpwall init` changed "
        "is put back byte for byte, and what you changed since stays. The copy that was kept of a "
        "file goes when the file is the same again. Rules and the record of calls are not touched.",
    )
    options(parser)
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Put back what is chosen. Raises CliError."""
    from mcpwall.cli.routing import wanted_agents
    from mcpwall.clients import ledger

    agents = {agent.id for agent in wanted_agents(arguments.agent)}
    try:
        known = ledger.read(home.clients_file())
    except ledger.LedgerError as error:
        raise CliError(str(error), USAGE) from None
    chosen = [
        record
        for record in known.records
        if record.agent in agents
        and (not arguments.server or {record.name, record.server} & set(arguments.server))
    ]
    failed = False
    settled: list[Record] = []
    for path in dict.fromkeys(record.file for record in chosen):
        mine = [record for record in chosen if record.file == path]
        failed |= not _file(Path(path), mine, settled, arguments)
    if not chosen:
        print("nothing to put back: `mcpwall init` has changed nothing here")
    if settled and not arguments.dry_run:
        try:
            latest = ledger.read(home.clients_file())  # `init` may have run while this was asking
            rest = _without_tables(_without_copies(latest.without(settled), chosen))
            ledger.write(home.clients_file(), rest)
        except ledger.LedgerError as error:
            raise CliError(str(error)) from None
    if failed:
        _name_copies(known, chosen)
    _name_those_by_hand({record.where for record in known.records}, agents)
    return FAILED if failed else 0


def _file(
    path: Path, records: Sequence[Record], settled: list[Record], arguments: argparse.Namespace
) -> bool:
    """Put one file back; False when it, or an entry in it, had to be left as it is."""
    from mcpwall.cli.routing import here
    from mcpwall.clients import document, undo
    from mcpwall.text import visible

    shown = here().shown(path)
    try:
        before = document.read(path)
        if before is None:
            settled += records
            print(visible(f"{shown}: is not there any more"))
            return True
        after, outcomes = undo.put_back(before, records)
        if after is not before:
            show_diff(before.diff(after, shown))
            if arguments.dry_run:
                print(visible(f"{shown}: nothing was changed (--dry-run)"))
                return True
            if not arguments.yes:
                if not can_ask():
                    raise CliError(
                        "nothing was changed: there is no terminal to ask on; give --yes, or "
                        "--dry-run to only look"
                    )
                if ask("  put it back? [y]es, [n]o: ") not in ("y", "yes"):
                    return True
            document.write(after, before)
    except document.DocumentError as error:
        complain(str(error))
        return False
    for outcome in outcomes:
        print(visible(f"{shown}: {outcome.record.name}: {outcome.how}"))
    settled += [outcome.record for outcome in outcomes if outcome.how != undo.How.LEFT]
    return all(outcome.how != undo.How.LEFT for outcome in outcomes)


def _without_copies(rest: Ledger, chosen: Sequence[Record]) -> Ledger:
    """Take away the copies of files that are as they were; name those that stay."""
    from mcpwall.cli.routing import here
    from mcpwall.clients import backup, document
    from mcpwall.text import visible

    for file in dict.fromkeys(record.file for record in chosen):
        kept = rest.backups.get(file)
        if kept is None or file in rest.files:
            continue
        try:
            now = document.read(Path(file))
        except document.DocumentError:
            now = None
        if not backup.settle(kept, now):
            shown = here().shown(Path(kept.path))
            print(visible(f"{shown}: the file before `mcpwall init`, which says otherwise now; "))
            print("  it holds what the file held, so delete it when you need it no more")
        rest = rest.without_backup(file)
    return rest


def _name_copies(known: Ledger, chosen: Sequence[Record]) -> None:
    """Where to find as it was what could not be put back."""
    from mcpwall.cli.routing import here
    from mcpwall.text import visible

    for file in dict.fromkeys(record.file for record in chosen):
        if kept := known.backups.get(file):
            before, shown = here().shown(Path(kept.path)), here().shown(Path(file))
            print(visible(f"{shown} as it was before `mcpwall init` is in {before}"))


def _without_tables(known: Ledger) -> Ledger:
    """Take out of config.toml what init added for servers that nothing is routed to any more."""
    import msgspec

    from mcpwall.clients import tables
    from mcpwall.store import files
    from mcpwall.store.config import ConfigError, load, load_text
    from mcpwall.text import visible

    used = {f"servers.{record.server}" for record in known.records}
    used |= {f"agents.{client}" for client in _clients(known)}
    unused = {name: table for name, table in known.tables.items() if name not in used}
    if not unused:
        return known
    path = home.config_file()
    try:
        text = load(path).text
        for name, table in unused.items():
            shorter = tables.removed(text, table)
            if shorter is None:
                print(visible(f"{path}: {name} was changed since; left as it is"))
            else:
                text = shorter
        load_text(text, path)
        files.write_atomic(path, text)
    except (ConfigError, files.UnsafeFileError, OSError) as error:
        complain(str(error))
        return known
    kept = {name: table for name, table in known.tables.items() if name in used}
    return msgspec.structs.replace(known, tables=kept)


def _clients(known: Ledger) -> Iterator[str]:
    from mcpwall.clients.agents import BY_ID

    return (BY_ID[record.agent].client for record in known.records if record.agent in BY_ID)


def _name_those_by_hand(known: set[tuple[str, tuple[str, ...], str]], agents: set[str]) -> None:
    """Name the entries that start the wall and were not written by init."""
    from mcpwall.cli.routing import here
    from mcpwall.clients.survey import survey
    from mcpwall.text import visible

    at = here()
    for found in survey(at):
        for entry in found.entries:
            where = (str(found.place.file), entry.keys, entry.name)
            if entry.routed and where not in known and found.agent.id in agents:
                shown = at.shown(found.place.file)
                print(visible(f"{shown}: {entry.name}: routed by hand; left as it is"))
