"""All that an app may see and do of the engine: a snapshot, a numbered feed, and commands.

The app, `mcpwall watch` and the tests hold an `EnginePort`; whether it is the engine in this
process (`engine.local`) or the one behind the control socket (`link.client`) they cannot tell.
What is about calls, answers, rules, tools, servers and sessions stands in `port_calls`,
`port_answers`, `port_rules`, `port_tools`, `port_servers` and `port_sessions`. Text in these values
is foreign and raw: it passes `mcpwall.text` before a screen.
"""

from __future__ import annotations

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
from mcpwall.engine.port_calls import CallDetails, Details, Found, Held, Older, Row, Rows, Search
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
from mcpwall.model import Defaults


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


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Nothing but a sign of life: an engine that is stopped does not answer. -> Done"""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End the engine, and with it every session."""


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
