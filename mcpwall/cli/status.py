"""`mcpwall status`: what the engine is doing now, for people and for scripts."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any, Final

from mcpwall import home
from mcpwall.cli.errors import FAILED, NO_ENGINE, CliError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcpwall.engine.port import Snapshot, Status
    from mcpwall.engine.port_calls import Held

_NAME_CELLS: Final = 40
_PREVIEW_CELLS: Final = 60


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall status`."""
    parser = subparsers.add_parser(
        "status",
        help="engine, sessions, servers and waiting calls",
        description="Show the engine, its sessions and servers, the calls that wait for you, and "
        "where config and state are.",
        epilog="Exit code: 0 an engine runs, 3 none runs.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the status. Raises CliError when an engine runs that cannot be asked."""
    from mcpwall.engine.port import EngineGoneError, Snapshot
    from mcpwall.link.errors import NoEngineError, OtherVersionError
    from mcpwall.link.sync import ask
    from mcpwall.text import ascii_json, visible

    try:
        snapshot: Snapshot = ask("snapshot", None, Snapshot)
    except NoEngineError as error:
        if not arguments.json:
            print("\n".join(_places(home.config_file())))
            raise
        places = {"config": home.config_file(), "state": home.state_dir()}
        print(ascii_json({"running": False, "error": str(error), **places}))
        return NO_ENGINE
    except OtherVersionError as error:
        engine = {"pid": error.engine.pid, "version": error.engine.version}
        if arguments.json:
            print(ascii_json({"running": True, "engine": engine, "error": str(error)}))
        else:
            print(f"engine    pid {error.engine.pid}\n          {visible(str(error))}")
        return 0
    except EngineGoneError as error:
        raise CliError(str(error), FAILED) from error
    if arguments.json:
        print(ascii_json(as_json(snapshot), indent=2))
    else:
        print("\n".join(as_lines(snapshot, time.time_ns() // 1_000_000)))
    return 0


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    """The status as plain data. Times are milliseconds since the epoch, as in engine.port."""
    from msgspec import to_builtins

    return {
        "running": True,
        "state": home.state_dir(),
        "engine": to_builtins(snapshot.status),
        "totals": to_builtins(snapshot.totals),
        "sessions": [to_builtins(session) for session in snapshot.sessions],
        "servers": [
            {
                "name": server.name,
                "transport": server.transport,
                "version": server.version,
                "sessions": server.sessions,
                "life": to_builtins(server.life),
                "calls": server.calls,
                "tools": [tool.name for tool in server.tools],
            }
            for server in snapshot.servers
        ],
        "waiting": [
            {
                **to_builtins(held.row),
                "since_ms": held.since_ms,
                "deadline_ms": held.deadline_ms,
                "why": list(held.why),
                "flags": list(held.flags),
            }
            for held in _waiting(snapshot)
        ],
    }


def _waiting(snapshot: Snapshot) -> list[Held]:
    """The calls that their agents wait for: not those that can only be allowed for later."""
    return [held for held in snapshot.held if not held.late]


def as_lines(snapshot: Snapshot, now_ms: int) -> Iterator[str]:
    """The status as lines that are safe to print. `now_ms`: milliseconds since the epoch."""
    from mcpwall.text import fit, summary
    from mcpwall.tui.servers.lives import standing
    from mcpwall.tui.words import called, many

    yield from _engine(snapshot.status, now_ms)
    totals = snapshot.totals
    yield _line(
        "calls",
        f"{totals.calls:,}, of them {totals.allowed:,} allowed, {totals.denied:,} denied, "
        f"{totals.limited:,} limited, {totals.errors:,} with an error",
    )
    sessions = [
        (
            fit(session.agent, _NAME_CELLS),
            fit(session.server, _NAME_CELLS),
            fit(session.protocol, _NAME_CELLS) or "no protocol yet",
            many(session.calls, "call"),
            f"{session.held} waiting" if session.held else "",
        )
        for session in snapshot.sessions
        if not session.ended
    ]
    servers = [
        (
            fit(server.name, _NAME_CELLS),
            server.transport,
            fit(server.version, _NAME_CELLS) or "no version",
            standing(server, now_ms, None)[0],
            many(server.sessions, "session"),
            many(len(server.tools), "tool"),
            many(server.calls, "call"),
        )
        for server in snapshot.servers
    ]
    waiting = [
        (
            f"{_left(held.deadline_ms - now_ms)} left",
            fit(held.row.agent, _NAME_CELLS),
            fit(called(held.row), _NAME_CELLS),
            held.row.risk.upper(),
            summary(held.row.preview, _PREVIEW_CELLS),
        )
        for held in _waiting(snapshot)
    ]
    yield from _table("sessions", sessions)
    yield from _table("servers", servers)
    yield from _table("waiting", waiting)


def _engine(status: Status, now_ms: int) -> Iterator[str]:
    from mcpwall.text import visible

    up = duration((now_ms - status.started_ms) // 1000)
    yield _line("engine", f"pid {status.pid}, mcpwall {visible(status.version)}, up {up}")
    http = status.http
    trouble = f"NOT LISTENING: {visible(http.error)}" if http.error else "off"
    yield _line("http", ", ".join(map(visible, http.addresses)) or trouble)
    yield from _places(status.config, f" (rules {visible(status.policy)})")
    if status.store:
        trouble = f": CALLS ARE DENIED, {visible(status.store_fault)}" if status.store_fault else ""
        yield _line("store", f"{visible(status.store)}, shared with other walls{trouble}")
    if status.lockdown:
        yield _line("", "LOCKDOWN: every tool call is denied until you end it in `mcpwall` (L)")
    if status.config_error:
        yield _line("", f"NOT IN FORCE: {visible(status.config_error)}; the last good rules are")
    if status.outside_edit:
        yield _line("", "NOT IN FORCE: an edit from outside waits for your answer in `mcpwall`:")
        for what in status.outside_edit.what:
            yield _line("", f"  {visible(what)}")


def _places(config: str, rules: str = "") -> Iterator[str]:
    """Where the rules and the state are. An engine's state is where this command looks for it."""
    from mcpwall.text import visible

    yield _line("config", f"{visible(config)}{rules}")
    yield _line("state", visible(home.state_dir()))


def duration(seconds: int) -> str:
    """Seconds as `41s`, `12m`, `2h14m` or `3d5h`."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 1:
        return f"{max(0, seconds)}s"
    if hours < 1:
        return f"{minutes}m"
    return f"{hours}h{minutes % 60:02}m" if days < 1 else f"{days}d{hours % 24}h"


def _left(milliseconds: int) -> str:
    seconds = max(0, milliseconds) // 1000
    return f"{seconds // 60}:{seconds % 60:02}"


def _line(name: str, text: str) -> str:
    return f"{name:<10}{text}"


def _table(name: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of cells that are safe to print, in aligned columns under one name."""
    from mcpwall.text import width

    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for index, row in enumerate(rows):
        cells = [cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)]
        yield _line("" if index else name, "  ".join(cells).rstrip())
    if not rows:
        yield _line(name, "none")
