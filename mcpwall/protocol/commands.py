"""What a conversation tells whoever runs it to do, and what must outlive it. Values."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from mcpwall.model import RequestId
from mcpwall.protocol.definitions import Definition
from mcpwall.protocol.requests import Request


class ToServer(msgspec.Struct, gc=False):
    """A line for the server. `about`: the client's request that it is; None for anything else."""

    line: bytes
    about: RequestId | None = None


class ToClient(msgspec.Struct, gc=False):
    """A line for the client. `about`: the client's request that it answers or belongs to.

    None: it belongs to the conversation at large, or nobody can tell to what. `method`: the line
    has a result of this method, and the wall may have to change it (see `protocol.results`).
    """

    line: bytes
    about: RequestId | None = None
    method: str = ""


class Judge(msgspec.Struct, gc=False):
    """The engine is asked for a verdict on this request."""

    request: Request


class Answered(msgspec.Struct, gc=False):
    """A judged request was answered. `line` has gone to its asker before this."""

    request: Request
    is_error: bool
    line: bytes


class Inputs(msgspec.Struct):
    """The server asks the client within `line`: in its answer to `request`, or in a notice.

    `about`: the client's request that the line belongs to, see ToClient. `is_error`: it fails.
    """

    request: Request
    questions: list[Request]
    line: bytes
    about: RequestId | None
    is_error: bool = False


class Subscribes(msgspec.Struct):
    """The client wants to be told of things that rules may be about: a request for each of them."""

    request: Request
    things: list[Request]


class Withdrawn(msgspec.Struct):
    """Who made a judged request wants no answer any more."""

    request: Request


class Listed(msgspec.Struct):
    """A page of the server's tools. `first` starts a new listing; `last` makes it complete."""

    definitions: list[Definition]
    first: bool
    last: bool


class Described(msgspec.Struct):
    """What the server tells the model of itself: its instructions, "" for none."""

    instructions: str


class Listing(msgspec.Struct):
    """The wall has asked for the tools itself: call `listing_failed(number)` if it takes long."""

    number: int


class Opened(msgspec.Struct):
    """What is known of client or server has changed: names, versions, era."""


class Dropped(msgspec.Struct):
    """A line of the server's went nowhere, and nobody knows whom it would have answered."""

    text: str


class Note(msgspec.Struct):
    """Something odd that a person may want to know."""

    text: str


Command: TypeAlias = (
    ToServer
    | ToClient
    | Judge
    | Answered
    | Inputs
    | Subscribes
    | Withdrawn
    | Listed
    | Described
    | Listing
    | Opened
    | Dropped
    | Note
)


class Memory(msgspec.Struct):
    """What a new engine must know to go on with a conversation. Calls are in the audit."""

    client: str = ""
    client_version: str = ""
    server_version: str = ""
    version: str = ""
    stateless: bool = False
    opened: bool = False
    lists: int = 0
    open: list[tuple[RequestId, str]] = []
    from_server: list[tuple[RequestId, str]] = []
