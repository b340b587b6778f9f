"""`mcpwall tools`: every tool of every server that was seen, and what the wall makes of it.

Reads the inventory and the rules file, with or without an engine running. `--scan` lets the wall
see servers that no agent has started yet.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from mcpwall import home
from mcpwall.cli.errors import FAILED, USAGE, CliError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcpwall.engine.port_tools import ToolRow
    from mcpwall.model import Tool
    from mcpwall.store.config import Config
    from mcpwall.store.tools import ServerEntry, ToolEntry

_CELLS: Final = 40  # of a name
_VALUE_CELLS: Final = 200  # of a field that changed


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall tools`."""
    parser = subparsers.add_parser(
        "tools",
        help="every tool of every server: risk, pin, rule that applies",
        description="Show every tool of every server that was seen: its class of risk, how its "
        "definition stands to its pin, its calls, and the rule that applies now. What changed or "
        "came later is accepted in the app. * marks a class of risk that you have set.",
    )
    parser.add_argument("server", nargs="*", metavar="SERVER", help="these servers alone")
    parser.add_argument(
        "--scan",
        action="store_true",
        help="first start these servers (default: all in config.toml), list their tools, and stop "
        "them",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--history", action="store_true", help="what became of their definitions, oldest first"
    )
    output.add_argument("--json", action="store_true", help="one JSON list, nothing cut")
    output.add_argument(
        "--recommend", action="store_true", help="the recommended rules, as TOML to copy from"
    )
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the inventory; 1 when a scan failed. Raises CliError."""
    from mcpwall.text import ascii_json

    config = _config()
    if arguments.history:
        _print_history(arguments.server)
        return 0
    failed = _scan(config, arguments.server) if arguments.scan else []
    servers = _inventory(arguments.server, unseen=failed)
    if arguments.recommend:
        _print_recommended(config, servers)
    elif arguments.json:
        print(ascii_json([_as_json(config, *each) for each in servers], indent=2))
    else:
        _print(config, servers)
    return FAILED if failed else 0


def _config() -> Config:
    """The rules file; one that is not there counts as empty. Raises CliError."""
    from pathlib import Path

    from mcpwall.store.config import ConfigError, load, load_text

    path = home.config_file()
    try:
        return load(path) if Path(path).exists() else load_text("", path)
    except ConfigError as error:
        raise CliError(f"{error} (`mcpwall rules check` says all)", USAGE) from None


def _inventory(
    names: Sequence[str], *, unseen: Sequence[str]
) -> list[tuple[ServerEntry, list[ToolEntry]]]:
    """Each server with its tools. Raises CliError for one that nobody has seen, less `unseen`."""
    from mcpwall.store.tools import ToolsError, ToolStore

    try:
        store = ToolStore.read(home.tools_file())
        if store is None:
            return _missing(names, unseen)
        try:
            tools = [tool for tool in store.tools() if tool.name]
            servers = store.servers()
        finally:
            store.close()
    except ToolsError as error:
        raise CliError(str(error), FAILED) from None
    _missing(names, [*unseen, *(server.name for server in servers)])
    return [
        (server, [tool for tool in tools if tool.server == server.name])
        for server in servers
        if not names or server.name in names
    ]


def _missing(names: Sequence[str], known: Sequence[str]) -> list[Any]:
    for name in names:
        if name not in known:
            raise CliError(
                f"no server {name!r} has been seen; let an agent use it, or run "
                f"`mcpwall tools --scan {name}`",
                USAGE,
            )
    return []


def _scan(config: Config, names: Sequence[str]) -> list[str]:
    """Let the wall see servers; returns those that could not be. Raises CliError."""
    import sys

    from mcpwall.cli.scan import scan
    from mcpwall.text import visible

    for name in names:
        if name not in config.servers:
            raise CliError(f"{home.config_file()} has no [servers.{name}]; add it first", USAGE)
    failed = []
    for name in names or config.servers:
        if fault := scan(name):
            failed.append(name)
            print(visible(f"mcpwall: {name}: {fault}"), file=sys.stderr)
    return failed


def _rows(config: Config, entries: Sequence[ToolEntry]) -> Iterator[tuple[ToolRow, Tool]]:
    import msgspec

    from mcpwall.engine.inventory import tool_of
    from mcpwall.engine.tool_views import row_of
    from mcpwall.protocol import codec

    policy = config.policy()
    for entry in entries:
        word = config.word(entry.server)
        fields = codec.object_of(msgspec.Raw(entry.listed_text)) or {"name": entry.name}
        tool = word.on(tool_of(entry.server, fields, trusted=word.trusted))
        yield row_of(entry, tool, policy), tool


def _print(config: Config, servers: Sequence[tuple[ServerEntry, list[ToolEntry]]]) -> None:
    from mcpwall.text import fit, visible

    if not servers:
        print("no server has been seen yet; `mcpwall tools --scan` starts those in config.toml")
    for server, entries in servers:
        new = "" if server.looked else "   new: nobody has looked at it"
        about = f"{visible(server.transport)}  {fit(server.version, _CELLS) or 'no version'}"
        print(f"{fit(server.name, _CELLS)}  {about}  since {_time(server.first_ms)}{new}")
        if entries:
            _print_tools(config, entries)
        if said := _missed(server, entries):
            print(f"  {said}")
        for place, name in _unlisted(config, server, entries):
            print(visible(f"  {place} sets the risk of {name}, which this server has not listed"))


def _print_tools(config: Config, entries: Sequence[ToolEntry]) -> None:
    from mcpwall.text import column, fit, visible, width

    table: list[tuple[str, ...]] = [_HEAD]
    notes: list[tuple[str, ...]] = [()]
    for row, tool in _rows(config, entries):
        table.append(_cells(row, tool))
        notes.append(row.flags)
    wide = [max(width(fit(line[i], _CELLS)) for line in table) for i in range(len(_HEAD))]
    for line, flags in zip(table, notes, strict=True):
        cells = [column(cell, wide[i]) for i, cell in enumerate(line[:-1])]
        print("  " + "  ".join([*cells, visible(line[-1])]).rstrip())
        for flag in flags:
            print(f"  {'':{wide[0]}}  look twice: {visible(flag)}")


def _missed(server: ServerEntry, entries: Sequence[ToolEntry]) -> str:
    """What the table does not say of its own length."""
    if server.complete:
        return "" if entries else "it lists no tools"
    if entries:
        return "its list was not read to its end: it may have more tools"
    return "its tools have not been listed yet"


def _unlisted(
    config: Config, server: ServerEntry, entries: Sequence[ToolEntry]
) -> Iterator[tuple[str, str]]:
    """Where a class is set for what is no tool of a server that was seen: a slip, mostly."""
    known = {entry.name for entry in entries if not entry.gone}
    for name, said in config.word(server.name).risks.items():
        if name not in known:
            yield f"{said.origin.file}:{said.origin.line}", name


_HEAD: Final = ("TOOL", "RISK", "CLAIMS", "PIN", "CALLS", "LAST", "RECOMMENDED", "RULE NOW")


def _cells(row: ToolRow, tool: Tool) -> tuple[str, ...]:
    """A tool's line. Foreign text in it is raw."""
    from mcpwall.policy.recommend import for_tool

    fields = for_tool(tool).fields
    advice = [str(fields[key]) for key in ("action", "rate_limit") if key in fields]
    return (
        row.name,
        f"{row.risk}*" if row.found is not None else row.risk,
        ", ".join(row.hints) or "nothing",
        "hidden" if row.hidden and row.pin == "pinned" else row.pin,
        f"{row.calls:,}",
        "never" if row.last_ms is None else _time(row.last_ms),
        ", ".join(advice),
        row.applies,
    )


def _as_json(config: Config, server: ServerEntry, entries: Sequence[ToolEntry]) -> dict[str, Any]:
    """A server as plain data; times are milliseconds since the epoch."""
    import msgspec

    from mcpwall.policy.recommend import for_tool

    tools = []
    for row, tool in _rows(config, entries):
        found = for_tool(tool)
        tools.append(
            {
                **msgspec.to_builtins(tool),
                **msgspec.to_builtins(row),
                "recommended": {"rule": found.fields, "reason": found.reason},
            }
        )
    told: dict[str, Any] = msgspec.to_builtins(server)
    return {**told, "tools": tools}


def _print_recommended(
    config: Config, servers: Sequence[tuple[ServerEntry, list[ToolEntry]]]
) -> None:
    from mcpwall.policy.recommend import for_tools
    from mcpwall.store.rule_tables import render

    tools = [
        tool
        for _, entries in servers
        for _, tool in _rows(config, [entry for entry in entries if not entry.gone])
    ]
    print("\n".join(render(found.fields) for found in for_tools(tools)), end="")


def _print_history(names: Sequence[str]) -> None:
    """Print what the record has of tools' definitions. Raises CliError."""
    from mcpwall.cli.record import open_record
    from mcpwall.engine.servers import What
    from mcpwall.store.faults import AuditError
    from mcpwall.text import fit

    try:
        with open_record() as record:
            for event in record.tool_events():
                if names and event.server not in names:
                    continue
                about = fit(event.tool, _CELLS) if event.tool else "instructions"
                by = f" by a {event.by}" if event.by else ""
                server = fit(event.server, _CELLS)
                place = server if event.what == What.FORGOTTEN else f"{server}.{about}"
                print(f"{_time(event.at_ms)}  {place}  {event.what}{by}")
                for line in _differences(event.before, event.after):
                    print(f"    {line}")
    except AuditError as error:
        raise CliError(str(error), FAILED) from None


def _differences(before: str, after: str) -> Iterator[str]:
    """Where two definitions differ, a line each; none where one of them is not there."""
    from mcpwall.protocol.definitions import differences
    from mcpwall.text import fit

    if not before or not after:
        return
    try:
        found = differences(before.encode(), after.encode())
    except ValueError:
        return
    for path, old, new in found:
        for sign, value in (("-", old), ("+", new)):
            if value is not None:
                yield f"{sign} {fit(path, _CELLS)} = {fit(value, _VALUE_CELLS)}"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
