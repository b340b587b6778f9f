import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from mcpwall.store.shared.address import address
from mcpwall.store.shared.client import Backend
from mcpwall.store.shared.postgres import PostgresStore
from mcpwall.store.shared.redis import RedisStore
from tests.helpers.stores import PostgresServer, RedisServer, Server

KINDS = {"redis": (RedisServer, RedisStore), "postgres": (PostgresServer, PostgresStore)}


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A real server of each kind, for all tests of a file."""
    with KINDS[request.param][0]() as server:
        server.kind = request.param
        yield server


@pytest.fixture
def backend(server: Server) -> Callable[..., Backend]:
    """Make a backend on the server, with the server's clock or one of the test's."""

    def make(**options: Any) -> Backend:
        return KINDS[server.kind][1](address(server.url), **options)

    return make


@pytest.fixture
def run() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run a coroutine to its end on the test's loop."""
    with asyncio.Runner() as runner:
        yield runner.run
