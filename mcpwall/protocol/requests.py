"""A request under way: where it stands, whose it is, and what is kept of it meanwhile. Values."""

from __future__ import annotations

import enum
from typing import Final

from mcpwall.model import JsonObject, RequestId


class Stage(enum.Enum):
    """Where a client's request stands."""

    NEW = "new"  # judged soon
    LISTING = "listing"  # waits until the server's tools are known
    HELD = "held"  # waits for a person
    FORWARDED = "forwarded"  # the server has it
    CANCELLED = "cancelled"  # the client gave it up after it was forwarded


class Sort(enum.Enum):
    """Whose message is judged, and who answers it."""

    REQUEST = "request"  # the client's: the server answers
    QUESTION = "question"  # the server's: the client answers
    NOTICE = "notice"  # the client's notification: nobody does


# By names of their own, as in `model`: every call comes by them.
NEW: Final = Stage.NEW
FORWARDED: Final = Stage.FORWARDED
REQUEST: Final = Sort.REQUEST
QUESTION: Final = Sort.QUESTION
NOTICE: Final = Sort.NOTICE


class Request:
    """A request that is under way; a notice only until it has gone.

    `arguments` are what is judged, `subject` the tool, prompt or resource that it names. `changes`
    says of a tools/list how often the tools had changed when it was asked.
    """

    line: bytes = b""  # a question, as it came

    def __init__(
        self,
        id: RequestId,  # noqa: A002 - its name in JSON-RPC
        method: str,
        subject: str = "",
        arguments: JsonObject | None = None,
        *,
        message: JsonObject | None = None,
        stage: Stage = NEW,
        call: int = 0,
        changes: int = 0,
        sort: Sort = REQUEST,
    ) -> None:
        """`message` is what would be forwarded; it is let go once it was.

        `call` is the engine's number, once it has one.
        """
        self.id = id
        self.method = method
        self.subject = subject
        self.arguments: JsonObject = {} if arguments is None else arguments
        self.message = message
        self.stage = stage
        self.call = call
        self.changes = changes
        self.sort = sort
        self.token: RequestId | None = None  # progress token
