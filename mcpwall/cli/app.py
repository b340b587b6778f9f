"""`mcpwall` without a command: starts the engine if none runs, and opens the app on it."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from mcpwall import home, starter
from mcpwall.cli.errors import USAGE, CliError
from mcpwall.engine.port import EngineGoneError
from mcpwall.link.client import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from mcpwall.engine.port import Batch, Command, EnginePort, Reply, Snapshot


def run() -> int:
    """Open the app until it is closed; returns its exit code. Raises CliError."""
    for name in ("stdin", "stdout", "stderr"):  # keys come from the first, all is drawn on the last
        if not getattr(sys, name).isatty():
            raise CliError(
                f"the app needs a terminal, and {name} is none; "
                "`mcpwall watch` prints plain lines anywhere",
                USAGE,
            )
    from mcpwall.tui.app import WallApp
    from mcpwall.tui.keys import KeysError

    try:
        app = WallApp(LastingPort(), moved=_keys())
    except KeysError as error:
        raise CliError(f"{home.config_file()}: {error}", USAGE) from None
    try:
        starter.connect_or_start().close()
    except starter.EngineStartError as error:
        raise CliError(str(error)) from None
    app.run()
    return app.return_code or 0


def _keys() -> Mapping[str, str]:
    """`[keys]` of the config. A file that does not load moves no keys: the app shows why."""
    from mcpwall.store.config import ConfigError, load
    from mcpwall.store.files import UnsafeFileError

    try:
        return load(home.config_file()).keys
    except (FileNotFoundError, ConfigError, UnsafeFileError):
        return {}


class LastingPort:
    """An EnginePort that outlives engines: a snapshot connects again where the engine went.

    It never starts one: whoever stopped the wall meant it. Its path is the control socket's, None
    for this user's.
    """

    def __init__(self, path: str | None = None) -> None:
        self._path = path
        self._port: EnginePort | None = None
        self._open = AsyncExitStack()

    async def snapshot(self) -> Snapshot:
        """See EnginePort."""
        if self._port is not None:
            try:
                return await self._port.snapshot()
            except EngineGoneError:
                self._port = None
                await self._open.aclose()
        self._port = await self._open.enter_async_context(connect(self._path))
        return await self._port.snapshot()

    def feed(self, after: int) -> AsyncIterator[Batch]:
        """See EnginePort."""
        return self._there().feed(after)

    async def send(self, command: Command) -> Reply:
        """See EnginePort."""
        return await self._there().send(command)

    async def aclose(self) -> None:
        """Give up the connection."""
        self._port = None
        await self._open.aclose()

    def _there(self) -> EnginePort:
        if self._port is None:
            raise EngineGoneError("not connected to the engine yet")
        return self._port
