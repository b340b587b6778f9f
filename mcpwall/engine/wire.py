"""What a session needs of whoever carries its messages, and what it keeps for the next engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from mcpwall.model import RequestId
from mcpwall.protocol.commands import Memory


class Hello(msgspec.Struct):
    """What is told of a session as it begins, by the shim where there is one. Text is foreign.

    What starts the server stays with the shim: its arguments may be secret, and long.
    `agent_pid` tells agents apart: sessions with the same number are one agent's. Below zero it is
    no process, but a place among the clients that come by HTTP.
    """

    server: str
    directory: str = ""
    agent_pid: int = 0  # the shim's parent's
    server_pid: int = 0
    transport: str = "stdio"  # how the server is reached
    agent_transport: str = "stdio"  # how the agent came


class Wire(Protocol):
    """The way to both sides. Lines go without their ends; `flush` sends what was given.

    `about` is the agent's request that a line belongs to: where each request has a way of its own
    for its answer (HTTP), the line goes there. None: the conversation at large.
    """

    def to_server(self, line: bytes, about: RequestId | None) -> None:
        """Give a line for the server."""
        ...

    def to_client(self, line: bytes, about: RequestId | None) -> None:
        """Give a line for the agent."""
        ...

    def flush(self) -> None:
        """Send what was given."""
        ...

    def waits(self, about: RequestId) -> None:
        """A request waits for a person: show its agent, where that can be seen, that it lives."""
        ...

    def when_safe(self, callback: Callable[[], None]) -> None:
        """Call back once what was sent to the client would outlive this engine."""
        ...

    def remember(self, memory: bytes) -> None:
        """Keep the protocol's state where the next engine finds it."""
        ...


class Kept(msgspec.Struct):
    """What outlives the engine: the session's name and the protocol's memory."""

    id: str
    agent: str
    since_ms: int
    memory: Memory
    instructions: str = ""  # a fingerprint of what the server told the model
    paused: bool = False  # by a person: outlives the engine like everything that is forbidden
    tells_changes: bool = False  # the agent was told that the list of tools may change
