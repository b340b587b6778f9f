"""The part of the port that is about calls: rows, what waits, all about one, and searching.

See `engine.port` for how its parts belong together.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from mcpwall.engine.port_timing import Timing
from mcpwall.model import JsonObject, Risk, Tool, Verdict


class State(enum.StrEnum):
    """Where a call stands."""

    HELD = "held"  # waits for a person
    RESERVING = "reserving"  # waits for the store that this wall shares with others
    RUNNING = "running"  # forwarded, no answer yet
    DONE = "done"  # answered by the server
    ERROR = "error"  # answered by the server with isError or a JSON-RPC error
    REFUSED = "refused"  # answered by the wall
    WITHDRAWN = "withdrawn"  # cancelled by the agent, or its session ended
    LOST = "lost"  # forwarded, and no answer can come any more


# By names of their own, as in `model`: every call comes by them.
HELD: Final = State.HELD
RESERVING: Final = State.RESERVING
RUNNING: Final = State.RUNNING
DONE: Final = State.DONE
ERROR: Final = State.ERROR
REFUSED: Final = State.REFUSED


class Row(msgspec.Struct, frozen=True, gc=False):
    """A call in a table.

    `preview` is compact JSON of the arguments, cut at 600 characters; long fields come last in it.
    """

    id: int
    at_ms: int
    session: str
    agent: str
    client: str
    server: str
    method: str
    tool: str
    risk: Risk
    preview: str
    size: int  # bytes of the arguments as forwarded
    digest: str
    verdict: Verdict
    state: State
    took_us: int | None = None  # from forwarding to the answer
    note: str = ""  # who answered, or what went wrong, one line
    edited: bool = False  # a person changed the arguments: preview, size and digest are of theirs


class Held(msgspec.Struct, frozen=True):
    """A call that waits for a person, with all that they must see to decide.

    A decision must quote `digest` and `revision`; `revision` grows whenever anything that the
    person relies on changed (rules reloaded, tool definition changed).
    """

    row: Row
    arguments: JsonObject
    digest: str
    revision: int
    since_ms: int
    deadline_ms: int
    two_keys: bool  # executes, destroys or moves money: `a` then `!`
    why: tuple[str, ...]  # sentences: the rule that asks, the risk and its reason
    flags: tuple[str, ...]  # things to look at twice: "first use of this tool", …
    tool: Tool | None = None
    late: bool = False  # refused since nobody answered; an allow is for the same call made again
    masked: bool = False  # secrets in `arguments` are marks; `Reveal` shows them


class Details(msgspec.Struct, frozen=True, tag="details"):
    """All that is known of one call. -> CallDetails"""

    call: int


class Older(msgspec.Struct, frozen=True, tag="older"):
    """A piece of the calls before number `before` that the engine remembers. -> Rows

    They are as they stand by now, which the feed may have told already, or is about to.
    """

    before: int


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """Calls, oldest first, and how many are `left` that are older."""

    rows: tuple[Row, ...]
    left: int


class CallDetails(msgspec.Struct, frozen=True, tag="call_details"):
    """`arguments` is None when they were too large to keep whole; then `excerpt` has the start.

    `answer` is what the agent got: the wall's own words, or the start of the server's result.
    `answer_size` counts the bytes of its message, of which `answer_left` were not kept. `original`
    is what the agent had sent, where a person edited the arguments.
    """

    row: Row
    arguments: JsonObject | None
    excerpt: str
    answer: str
    answer_size: int
    answer_left: int
    tool: Tool | None = None
    original: JsonObject | None = None
    timing: Timing = Timing()


class Search(msgspec.Struct, frozen=True, tag="search"):
    """Calls of the whole record that match a filter, newest first. -> Found

    One piece of the search: `before` is 0 to begin with the newest call, then what Found says.
    """

    text: str
    before: int = 0


class Found(msgspec.Struct, frozen=True, tag="found"):
    """A piece of a search. It goes on with `before`; 0: all was looked at."""

    rows: tuple[Row, ...]
    before: int
    at_ms: int  # how far back it has looked
    looked: int  # how many calls it has looked at
