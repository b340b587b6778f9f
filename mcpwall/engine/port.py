"""All that an app may see and do of the engine: a snapshot, a numbered feed, and commands.

The app, `mcpwall watch` and the tests hold an `EnginePort`; whether it is the engine in this
process (`engine.local`) or the one behind the control socket (`link.client`) they cannot tell.
What is about rules, waiting calls, servers and sessions stands in `port_rules`, `port_answers`,
`port_tools`, `port_servers` and `port_sessions`. Text in these values is foreign and raw: it passes
`mcpwall.text` before a screen.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from typing import Protocol, TypeAlias

import msgspec

from mcpwall.engine.port_answers import (
    CheckEdit,
    Decide,
    EditChecked,
    Reveal,
    Revealed,
)
from mcpwall.engine.port_rules import (
    AcceptEdit,
    DropRule,
    Hits,
    Mistake,
    OutsideEdit,
    Preview,
    Previewed,
    PutRule,
    RuleRow,
    ToggleRule,
    Undo,
)
from mcpwall.engine.port_servers import ForgetServer
from mcpwall.engine.port_sessions import CutSession, PauseSession, SessionRow
from mcpwall.engine.port_timing import Timing
from mcpwall.engine.port_tools import (
    AcceptServer,
    AcceptTool,
    Block,
    Classified,
    Classify,
    Hide,
    Inspect,
    Inspected,
    MatchTools,
    Recommend,
    Recommended,
    ServerRow,
    ToolsMatched,
)
from mcpwall.model import Defaults, JsonObject, Risk, Tool, Verdict


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


class Row(msgspec.Struct, frozen=True, gc=False):
    """A call in a table. `preview` is compact JSON of the arguments, cut at 600 characters."""

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


class Totals(msgspec.Struct, frozen=True):
    """Counts since the engine started, except `held`, which is now.

    Calls that an engine before this one left unfinished count where they went on.
    """

    calls: int = 0
    allowed: int = 0
    denied: int = 0
    limited: int = 0
    errors: int = 0
    held: int = 0


class Http(msgspec.Struct, frozen=True):
    """Where agents reach the wall by URL: `127.0.0.1:6279`; nowhere when it is switched off."""

    addresses: tuple[str, ...] = ()
    error: str = ""  # why it does not listen although it should


class Status(msgspec.Struct, frozen=True):
    """The engine itself."""

    pid: int
    version: str
    started_ms: int
    home: str  # where its config lives
    config: str  # path of config.toml
    policy: str  # hash of the rules in force
    lockdown: bool
    config_error: str = ""  # the file does not load: the last good rules stay in force
    outside_edit: OutsideEdit | None = None
    undo: int = 0  # steps that can be undone
    redo: int = 0
    http: Http = Http()
    store: str = ""  # the store that is shared with other walls, its address without secrets
    store_fault: str = ""  # why it cannot be asked now
    mistakes: tuple[Mistake, ...] = ()  # in rules files that do not load, the projects' too
    defaults: Defaults = Defaults()  # what happens where no rule decides


class Snapshot(msgspec.Struct, frozen=True):
    """Everything at one moment; `seq` is the number of the last event that it includes.

    Of the calls it has the newest; `Older` asks for those that are `left`. The events of this
    engine are numbered above `first`, which no other engine shares.
    """

    seq: int
    status: Status
    rows: tuple[Row, ...]  # oldest first
    held: tuple[Held, ...]
    rules: tuple[RuleRow, ...]
    sessions: tuple[SessionRow, ...]
    servers: tuple[ServerRow, ...]
    totals: Totals
    first: int = 0
    left: int = 0


# --- events: each replaces what was known of the same thing -------------------------------------


class RowEvent(msgspec.Struct, frozen=True, gc=False, tag="row"):
    row: Row


class HeldEvent(msgspec.Struct, frozen=True, tag="held"):
    held: Held


class ReleasedEvent(msgspec.Struct, frozen=True, tag="released"):
    call: int
    how: str  # "allowed by you", "time is up", "cancelled by the agent", …


class RulesEvent(msgspec.Struct, frozen=True, tag="rules"):
    rules: tuple[RuleRow, ...]


class HitsEvent(msgspec.Struct, frozen=True, tag="hits"):
    """Rules that made verdicts since the last event on rules."""

    hits: tuple[Hits, ...]


class SessionEvent(msgspec.Struct, frozen=True, tag="session"):
    session: SessionRow


class ServerEvent(msgspec.Struct, frozen=True, tag="server"):
    server: ServerRow


class ForgottenEvent(msgspec.Struct, frozen=True, tag="forgotten"):
    """A person had a server forgotten: there is no row of it any more."""

    server: str


class StatusEvent(msgspec.Struct, frozen=True, tag="status"):
    status: Status


class NoticeEvent(msgspec.Struct, frozen=True, tag="notice"):
    level: str  # "info" | "warning" | "error"
    text: str


Event: TypeAlias = (
    RowEvent
    | HeldEvent
    | ReleasedEvent
    | RulesEvent
    | HitsEvent
    | SessionEvent
    | ServerEvent
    | ForgottenEvent
    | StatusEvent
    | NoticeEvent
)


class Batch(msgspec.Struct, frozen=True):
    """Events up to number `seq`. `gap`: some were dropped, take a new snapshot."""

    seq: int
    totals: Totals
    events: tuple[Event, ...] = ()
    gap: bool = False


# --- commands -----------------------------------------------------------------------------------


class Lockdown(msgspec.Struct, frozen=True, tag="lockdown"):
    on: bool


class Details(msgspec.Struct, frozen=True, tag="details"):
    """All that is known of one call. -> CallDetails"""

    call: int


class Older(msgspec.Struct, frozen=True, tag="older"):
    """A piece of the calls before number `before` that the engine remembers. -> Rows

    They are as they stand by now, which the feed may have told already, or is about to.
    """

    before: int


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Nothing but a sign of life: an engine that is stopped does not answer. -> Done"""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End the engine, and with it every session."""


class Search(msgspec.Struct, frozen=True, tag="search"):
    """Calls of the whole record that match a filter, newest first. -> Found

    One piece of the search: `before` is 0 to begin with the newest call, then what Found says.
    """

    text: str
    before: int = 0


Question: TypeAlias = CheckEdit | Search  # answered by way of a thread; changes nothing
Order: TypeAlias = (
    Decide
    | PutRule
    | DropRule
    | ToggleRule
    | Undo
    | Lockdown
    | AcceptEdit
    | Preview
    | PauseSession
    | CutSession
    | Reveal
    | Details
    | Older
    | Inspect
    | AcceptTool
    | AcceptServer
    | ForgetServer
    | Hide
    | Block
    | Recommend
    | Classify
    | MatchTools
    | Ping
    | Stop
)
Command: TypeAlias = Order | Question


class Done(msgspec.Struct, frozen=True, omit_defaults=True, tag="done"):
    text: str = ""  # one line for the person
    rule: str = ""  # the id of the rule that came, or says something else now


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It is not as ordered. `text`: what is wrong, where, what to do, and what was done if any."""

    text: str


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """Calls, oldest first, and how many are `left` that are older."""

    rows: tuple[Row, ...]
    left: int


class Found(msgspec.Struct, frozen=True, tag="found"):
    """A piece of a search. It goes on with `before`; 0: all was looked at."""

    rows: tuple[Row, ...]
    before: int
    at_ms: int  # how far back it has looked
    looked: int  # how many calls it has looked at


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


Reply: TypeAlias = (
    Done
    | Refused
    | Previewed
    | EditChecked
    | Revealed
    | Found
    | Rows
    | CallDetails
    | Inspected
    | Recommended
    | Classified
    | ToolsMatched
)


class EngineGoneError(Exception):
    """The engine behind a port cannot be reached; the text says what to do."""


class EnginePort(Protocol):
    """One client's hold on the engine."""

    async def snapshot(self) -> Snapshot:
        """Everything at one moment. Raises EngineGoneError."""
        ...

    def feed(self, after: int) -> AsyncIterator[Batch]:
        """Batches of events numbered above `after`, without end, at most 20 a second.

        A client that is too slow gets a batch with `gap` set. Raises EngineGoneError.
        """
        ...

    async def send(self, command: Command) -> Reply:
        """Carry out a command. Raises EngineGoneError."""
        ...
