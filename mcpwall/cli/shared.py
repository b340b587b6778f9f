"""The store that walls share, put together from the config and the driver that it needs."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Final

from mcpwall import home
from mcpwall.cli.errors import USAGE, CliError
from mcpwall.store import keyrings
from mcpwall.store.files import UnsafeFileError
from mcpwall.store.reader import CLOCK_SLACK_MS
from mcpwall.store.references import UnresolvedError
from mcpwall.store.shared.address import URL_FIX, Address, Kind, StoreUrlError, address
from mcpwall.store.shared.client import Client, StoreError
from mcpwall.store.shared.entries import Folder
from mcpwall.store.shared.identity import wall

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpwall.store.config import Config
    from mcpwall.store.records import AuditRow
    from mcpwall.store.shared.client import Backend
    from mcpwall.store.shared.entries import SharedRow

PAGE: Final = 500  # entries that are read at once
_DRIVERS: Final = {Kind.REDIS: "redis", Kind.POSTGRES: "psycopg"}
_BACKENDS: Final = {
    Kind.REDIS: ("mcpwall.store.shared.redis", "RedisStore"),
    Kind.POSTGRES: ("mcpwall.store.shared.postgres", "PostgresStore"),
}


def find(config: Config) -> Address | None:
    """Where the store of a config is, None when it names none. May ask the system's keyring.

    Raises CliError.
    """
    if config.store is None:
        return None
    try:
        return address(config.store.url.resolve(os.environ, keyrings.lookup))
    except StoreUrlError as error:
        raise CliError(f"{config.file}: store.url {error}; {URL_FIX}", USAGE) from None
    except UnresolvedError as error:
        raise CliError(f"{config.file}: store.url: {error}", USAGE) from None


def backend(place: Address) -> Backend:
    """A line to the store, not yet open. Raises CliError when its driver is not installed."""
    module, name = _BACKENDS[place.kind]
    try:
        made: Backend = getattr(importlib.import_module(module), name)(place)
    except ImportError as error:
        driver, extra = _DRIVERS[place.kind], place.kind.value
        raise CliError(
            f"the shared store {place.name} needs the Python package {driver} ({error}); "
            f"run: pip install 'mcpwall[{extra}]'",
            USAGE,
        ) from None
    return made


async def newest(
    place: Address, matches: Callable[[AuditRow], bool], *, since_ms: int | None, limit: int
) -> list[SharedRow]:
    """The newest calls of the shared record that match, newest first, at most `limit`.

    With `since_ms`, only those at or after it. Raises CliError.
    """
    line, folder = backend(place), Folder()
    found: list[SharedRow] = []
    try:
        await line.open()
        page, before = await line.newest(PAGE)
        while page:
            for shared in folder.take(page):
                at_ms = shared.row.at_ms
                if since_ms is not None and at_ms < since_ms:
                    if at_ms < since_ms - CLOCK_SLACK_MS:
                        return found
                elif matches(shared.row):
                    found.append(shared)
                    if len(found) == limit:
                        return found
            page, before = await line.newest(PAGE, before)
    except StoreError as error:
        raise CliError(f"the shared store {place.name} cannot be read: {error}") from None
    finally:
        await line.close()
    return found


def ledger(place: Address) -> Client:
    """What an engine counts by, on the running loop. Raises CliError."""
    try:
        return Client(backend(place), wall(home.wall_file()), place.name)
    except (OSError, UnsafeFileError) as error:
        raise CliError(str(error)) from None
