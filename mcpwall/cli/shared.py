"""The store that walls share, put together from the config and the driver that it needs."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Final

from mcpwall import home
from mcpwall.cli.errors import USAGE, CliError
from mcpwall.store import keyrings
from mcpwall.store.files import UnsafeFileError
from mcpwall.store.references import UnresolvedError
from mcpwall.store.shared.address import URL_FIX, Address, Kind, StoreUrlError, address
from mcpwall.store.shared.client import Client
from mcpwall.store.shared.identity import wall

if TYPE_CHECKING:
    from mcpwall.store.config import Config
    from mcpwall.store.shared.client import Backend

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


def ledger(place: Address) -> Client:
    """What an engine counts by, on the running loop. Raises CliError."""
    try:
        return Client(backend(place), wall(home.wall_file()), place.name)
    except (OSError, UnsafeFileError) as error:
        raise CliError(str(error)) from None
