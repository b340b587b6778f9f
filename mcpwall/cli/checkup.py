"""What `mcpwall doctor` looks at of the wall itself: versions, engine, config, files, terminal.

Nothing is changed, nothing is started.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mcpwall import __version__, home
from mcpwall.cli import screen, shared
from mcpwall.cli.errors import CliError
from mcpwall.cli.finding import Finding, note, ok, wrong
from mcpwall.engine.port import EngineGoneError, Snapshot
from mcpwall.link.errors import NoEngineError, OtherVersionError
from mcpwall.link.sync import ask
from mcpwall.store import config, files
from mcpwall.tui.words import many

COLUMNS_MIN: Final = 80
LINES_MIN: Final = 24
ROOM_MIN: Final = 10 * 1024 * 1024  # bytes: some thousand calls


def versions() -> Iterator[Finding]:
    """mcpwall and its form, Python and the system."""
    form = "compiled" if compiled() else "plain Python"
    python = platform.python_version()
    yield ok("version", f"mcpwall {__version__} ({form}), Python {python}, {platform.platform()}")


def compiled() -> bool:
    """Whether the path of a message is machine code here."""
    found = importlib.util.find_spec("mcpwall.policy.judge")
    return found is not None and not (found.origin or "").endswith(".py")


def engine() -> Iterator[Finding]:
    """Whether an engine runs, answers, and is of this version."""
    try:
        snapshot: Snapshot = ask("snapshot", None, Snapshot)
    except NoEngineError:
        yield ok("engine", "none runs; the app, or an agent that starts a server, starts one")
    except OtherVersionError as error:
        yield wrong("engine", str(error), "run: mcpwall stop")
    except EngineGoneError as error:
        yield wrong("engine", str(error), f"see {home.log_file()}")
    else:
        status = snapshot.status
        yield ok("engine", f"pid {status.pid}, {many(len(snapshot.sessions), 'session')}")
        if status.http.error:
            todo = "only agents that come by URL need it; [http] listen names another port"
            yield note("http", status.http.error.partition(";")[0], todo)
        if status.store_fault:
            todo = "calls are denied until it answers; see that it runs, and [store] url"
            yield wrong("store", status.store_fault, todo)
        elif status.store:
            yield ok("store", f"{status.store} answers")
        if status.lockdown:
            yield note("engine", "LOCKDOWN: every tool call is denied", "lift it in the app with L")
        if status.outside_edit is not None:
            what = f"an edit from outside is not in force: {status.outside_edit.what[0]}"
            yield note("engine", what, "accept or refuse it in the app")


def rules() -> Iterator[Finding]:
    """Whether config.toml loads, and each mistake in it."""
    path = home.config_file()
    if not os.path.lexists(path):
        yield ok("config", f"{path} is not there: the defaults are in force")
        return
    try:
        loaded = config.load(path)
    except config.ConfigError as error:
        for one in error.errors:
            where = f"{one.file}:{one.line}" if one.line else one.file
            yield wrong("config", f"{where}: {one.what}", one.fix or "run: mcpwall rules check")
    else:
        rules_, servers = many(len(loaded.rules), "rule"), many(len(loaded.servers), "server")
        yield ok("config", f"{path}: {rules_}, {servers}")
        yield from _store(loaded)


def _store(loaded: config.Config) -> Iterator[Finding]:
    """Whether an engine could begin to ask the store that walls share."""
    try:
        if place := shared.find(loaded):
            shared.backend(place)
    except CliError as error:
        what, _, todo = str(error).rpartition("; ")
        yield wrong("store", what, todo)


def permissions() -> Iterator[Finding]:
    """Whether the wall's directories and files are the user's alone."""
    bad = [*_directories(), *_files()]
    yield from bad
    if not bad:
        yield ok("files", f"{home.state_dir()}: for you alone")


def room() -> Iterator[Finding]:
    """Whether the record can be written: a call that cannot be recorded is refused."""
    state = Path(home.state_dir())
    place = next(part for part in (state, *state.parents) if part.exists())
    if not os.access(place, os.W_OK):
        todo = "make it writable, or set MCPWALL_HOME to a directory that is"
        yield wrong("files", f"{state}: nothing can be written there: no engine can start", todo)
    elif (free := shutil.disk_usage(place).free) < ROOM_MIN:
        left = f"{state}: its disk has only {free // 1024:,} KiB left"
        yield wrong("files", f"{left}: calls that cannot be recorded are refused", "make space")


def _directories() -> Iterator[Finding]:
    for place in dict.fromkeys((home.config_dir(), home.state_dir())):
        if os.path.lexists(place):
            try:
                files.private_dir(place)
            except files.UnsafeFileError as error:
                yield wrong("files", f"{error.where}: {error.what}", error.fix)


def _files() -> Iterator[Finding]:
    state = Path(home.state_dir())
    for path in sorted(state.rglob("*")) if state.is_dir() else ():
        try:
            info = path.lstat()
        except OSError as error:
            yield wrong("files", f"{path}: cannot be looked at: {error.strerror}", "look into it")
            continue
        mode = stat.S_IMODE(info.st_mode)
        if stat.S_ISLNK(info.st_mode):
            yield wrong("files", f"{path}: is a symbolic link", "put the file itself there")
        elif info.st_uid not in (0, os.geteuid()):
            yield wrong("files", f"{path}: belongs to user {info.st_uid}", "move it away")
        elif mode & 0o077:
            yield wrong(
                "files", f"{path}: others may use it (mode {mode:04o})", f"run: chmod go= {path}"
            )


def terminal() -> Iterator[Finding]:
    """Whether the app can be seen here as it is meant."""
    size = shutil.get_terminal_size()
    term = os.environ.get("TERM", "")
    if what := screen.lack():
        yield note("terminal", f"the app needs {what}", "`mcpwall watch` works anywhere")
        return
    if size.columns < COLUMNS_MIN or size.lines < LINES_MIN:
        have = f"{size.columns}×{size.lines}"
        yield note("terminal", f"small: {have}", f"make it {COLUMNS_MIN}×{LINES_MIN} or larger")
    if term in ("", "linux"):
        yield note("terminal", f"TERM is {term!r}: few signs and colours", "use another terminal")
    else:
        colours = os.environ.get("COLORTERM", "") or "256 colours at most"
        told = "no colours (NO_COLOR)" if os.environ.get("NO_COLOR") else colours
        yield ok("terminal", f"{term}, {size.columns}×{size.lines}, {told}")
