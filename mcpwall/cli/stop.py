"""`mcpwall stop`: end the engine, of whatever version, and wait until it has gone."""

from __future__ import annotations

import argparse
import fcntl
import os
import time
from typing import TYPE_CHECKING, Any, Final

from mcpwall import home
from mcpwall.cli.errors import FAILED, NO_ENGINE, CliError

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP_S: Final = 0.02
_STEPS: Final = 500  # ten seconds: sessions get time to end their servers


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall stop`."""
    parser = subparsers.add_parser(
        "stop",
        help="stop the engine; its sessions end",
        description="Stop the engine and wait until it has gone. Sessions end with it: agents "
        "lose the servers that they reach through the wall.",
        epilog="Exit code: 0 the engine has ended, 3 none ran.",
    )
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - what every command takes
    """Stop the engine. Raises CliError when none runs, or when it does not end."""
    from mcpwall.engine.port import EngineGoneError, Refused, Reply, Stop
    from mcpwall.link.errors import NoEngineError
    from mcpwall.link.sync import ask

    ran = _is_held(home.lock_file())
    sessions = _sessions()
    try:
        reply = ask("send", Stop(), Reply)
    except NoEngineError as error:
        raise _nobody_listens(error) from error
    except EngineGoneError as error:
        # an engine that ends may close before its answer is through; the lock tells
        if not (ran and wait_until_free(home.lock_file())):
            raise CliError(str(error), FAILED) from error
    else:
        if isinstance(reply, Refused):
            raise CliError(f"the engine refused to stop: {reply.text}", FAILED)
    if not wait_until_free(home.lock_file()):
        raise CliError(
            f"the engine{_pid()} was told to stop but still runs; see {home.log_file()}, or kill it"
        )
    print(f"the engine has stopped; {sessions}")
    return 0


def _sessions() -> str:
    """What is said of the sessions that the engine will end."""
    from mcpwall.engine.port import EngineGoneError, Snapshot
    from mcpwall.link.sync import ask

    try:
        snapshot: Snapshot = ask("snapshot", None, Snapshot)
    except EngineGoneError:
        return "its sessions ended"  # it may be of another version: it still can be stopped
    number = sum(not session.ended for session in snapshot.sessions)
    match number:
        case 0:
            return "it had no sessions"
        case 1:
            return "1 session ended"
        case _:
            return f"{number} sessions ended"


def wait_until_free(lock: str, wait: Callable[[float], None] = time.sleep) -> bool:
    """Wait until no engine holds the file `lock`, at most ten seconds; whether it is free."""
    for _ in range(_STEPS):
        if not _is_held(lock):
            return True
        wait(_STEP_S)
    return False


def _is_held(lock: str) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _nobody_listens(error: Exception) -> CliError:
    if _is_held(home.lock_file()):
        return CliError(
            f"an engine{_pid()} runs but nobody can reach it: its socket {home.socket_file()} "
            "is gone; kill it",
            FAILED,
        )
    return CliError(str(error), NO_ENGINE)


def _pid() -> str:
    """The engine's process as its lock file names it."""
    try:
        with open(home.lock_file(), encoding="ascii", errors="replace") as file:  # noqa: PTH123 - as home gives it
            return f" (pid {file.read(20).strip()})"
    except OSError:
        return ""
