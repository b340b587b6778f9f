"""P18 with official clients, by URL and on pipes: through the wall they get what they get without.

All that MCP has is gone through once: calls, progress, elicitation, sampling, roots, resources,
subscriptions, prompts, completions, logging, cancellation, a result of 1 MiB.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.real import official

pytestmark = pytest.mark.real

HANDSHAKE = ("python-1", "python-2", "typescript-1", "typescript-2")
STATELESS = ("python-2-stateless", "typescript-2-stateless")
BOTH = [
    *((client, "everything") for client in HANDSHAKE),
    *((client, "both") for client in STATELESS),
]
PAIRS = pytest.mark.parametrize(
    ("client", "server"), BOTH, ids=[f"{client}-{server}" for client, server in BOTH]
)


def piped(server: str) -> official.Task:
    return {"command": [*official.server(server), "stdio"]}


@cache
def direct(client: str, server: str, *, url: bool) -> Any:
    """What a client makes of a server without a wall."""
    if not url:
        return official.run(client, server, piped(server))
    with official.listening(server) as task:
        return official.run(client, server, task)


@PAIRS
def test_p18_an_agent_by_url_in_front_of_a_server_on_pipes(client, server, home: Path) -> None:
    official.configure(home, piped(server))
    with official.by_url(home) as task:
        walled = official.run(client, server, task)
    assert walled == direct(client, server, url=False)


@PAIRS
def test_p18_an_agent_by_url_in_front_of_a_remote_server(client, server, home: Path) -> None:
    with official.listening(server) as remote:
        official.configure(home, remote)
        with official.by_url(home) as task:
            walled = official.run(client, server, task)
    assert walled == direct(client, server, url=True)


@PAIRS
def test_p18_an_agent_on_pipes_in_front_of_a_remote_server(client, server, home: Path) -> None:
    with official.listening(server) as remote:
        official.configure(home, remote)
        walled = official.run(client, server, official.by_pipe(home))
    assert walled == direct(client, server, url=True)
