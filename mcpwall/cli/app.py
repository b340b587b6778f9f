"""`mcpwall` without a command: starts the engine if none runs, and opens the app on it."""

from __future__ import annotations

import asyncio
import gc
import os
import shlex
import signal
import subprocess
import sys
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from mcpwall import home, starter
from mcpwall.cli import screen
from mcpwall.cli.errors import USAGE, CliError
from mcpwall.link.lasting import LastingPort

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpwall.store.app import AppConfig
    from mcpwall.tui.app import WallApp
    from mcpwall.tui.settings import Settings


_PLUS_LINE = frozenset(
    ("vi", "vim", "nvim", "view", "nano", "pico", "emacs", "emacsclient", "micro", "kak", "joe",
     "mg", "mcedit", "ne", "gedit")
)  # fmt: skip
_COLON_LINE = frozenset(("hx", "helix", "subl", "zed"))
_GOTO = frozenset(("code", "codium", "cursor", "windsurf"))
_SETTLED_S = 1.0  # by then the first frame is there


def run() -> int:
    """Open the app until it is closed; returns its exit code. Raises CliError."""
    if what := screen.lack():
        raise CliError(f"the app needs {what}; `mcpwall watch` prints plain lines anywhere", USAGE)
    gc.disable()  # nothing that is loaded for the first frame is garbage, and looking takes time
    try:
        return _open()
    finally:
        gc.enable()


def _open() -> int:
    """Open the app, until it is closed. Raises CliError."""
    from mcpwall.tui.app import WallApp
    from mcpwall.tui.keys import KeysError

    try:
        moved, config = _written()
        engine = LastingPort()
        app = WallApp(engine, moved=moved, settings=_settings(config))
    except KeysError as error:
        raise CliError(f"{home.config_file()}: {error}", USAGE) from None
    try:
        starter.connect_or_start().close()
    except starter.EngineStartError as error:
        raise CliError(str(error)) from None
    asyncio.run(_attended(app, engine))
    return app.return_code or 0


async def _attended(app: WallApp, engine: LastingPort) -> None:
    """Run the app, and close what it asks the engine through while there still is a loop."""
    asyncio.get_running_loop().call_later(_SETTLED_S, _collect_again)
    async with aclosing(engine):
        await app.run_async()


def _collect_again() -> None:
    """Let the garbage collector work, which never looks again at what stands now."""
    gc.freeze()
    gc.enable()


def _written() -> tuple[Mapping[str, str], AppConfig]:
    """`[keys]` in force and `[app]`, and nothing else of the config: the first paint waits for it.

    Other keys that an edit from outside brought wait for one of those in force; where these cannot
    be used, for the usual ones.
    """
    from mcpwall.tui.keys import KeyMap, KeysError

    written, config = _read(home.config_file())
    keys = written
    if os.path.lexists(home.accepted_file()):
        keys, _ = _read(home.accepted_file())
    if keys != written:
        try:
            KeyMap(keys)
        except KeysError:
            keys = {}
    return keys, config


def _read(path: str) -> tuple[Mapping[str, str], AppConfig]:
    """`[keys]` and `[app]` of a file.

    One that cannot be read says nothing; the engine, which reads all of it, tells the app why.
    """
    from mcpwall.store.app import AppConfig, own
    from mcpwall.store.files import UnsafeFileError, read_checked

    try:
        return own(read_checked(path))
    except (OSError, ValueError, UnsafeFileError):
        return {}, AppConfig()


def _settings(config: AppConfig) -> Settings:
    """`[app]`, and the theme chosen last where the config names none."""
    from mcpwall.cli.guarding import AgentFiles
    from mcpwall.store.app import THEMES
    from mcpwall.store.files import UnsafeFileError, private_dir, read_checked, write_atomic
    from mcpwall.tui.settings import Settings

    def remember(theme: str) -> None:
        with suppress(OSError, UnsafeFileError):  # a theme is not worth a word
            private_dir(home.state_dir())
            write_atomic(home.theme_file(), theme)

    theme = config.theme
    if not theme:
        with suppress(OSError, UnsafeFileError, UnicodeDecodeError):
            theme = read_checked(home.theme_file())
    silent = os.environ.get("TERM") == "linux"  # it would print a notification
    return Settings(
        theme if theme in THEMES else "dark",
        config.bell,
        "off" if silent else config.notify,
        remember,
        edit,
        play_demo,
        AgentFiles(),
    )


def edit(path: str, line: int = 0) -> str:
    """Open a file in the person's editor ($VISUAL, $EDITOR, vi); says what went wrong.

    At `line` (from 1; 0: wherever it likes), with editors that are known to take one.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        editor = shlex.split(command)
        ended = _on_this_terminal([*editor, *_at(editor[:1], path, line)])
    except (OSError, ValueError) as error:
        return f"the editor {command!r} does not start: {error}; set $EDITOR"
    return f"the editor {command!r} ended with code {ended}" if ended else ""


def _at(program: list[str], path: str, line: int) -> list[str]:
    """How an editor is told the file and the line."""
    name = os.path.basename(program[0]).removesuffix(".exe") if program else ""  # noqa: PTH119 - a word of a command
    if line and name in _PLUS_LINE:
        return [f"+{line}", path]
    if line and name in _COLON_LINE:
        return [f"{path}:{line}"]
    if line and name in _GOTO:
        return ["--goto", f"{path}:{line}"]
    return [path]


def play_demo() -> str:
    """Run the demo, in a scratch home of its own, until it ends; says what went wrong."""
    try:
        ended = _on_this_terminal([sys.executable, "-P", "-m", "mcpwall", "demo"])
    except OSError as error:
        return f"the demo does not start: {error}"
    return "the demo has failed; `mcpwall demo` in a terminal says why" if ended else ""


def _on_this_terminal(command: list[str]) -> int:
    """Run a program that has the terminal, and its ctrl+c, until it ends; gives its exit code."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # one that is ignored is inherited
    try:
        return subprocess.run(command, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
