"""The part of the port that is about servers and their tools: what an app sees, and may order.

A tool is known by its server's configured name and its own exact name. Its definition is pinned
when its server is first seen; what differs from the pin cannot be called until a person accepts it
at the app. Text in these values is foreign and raw: it passes `mcpwall.text` before a screen.
"""

from __future__ import annotations

import enum

import msgspec

from mcpwall.engine.port_servers import Life
from mcpwall.model import Action, JsonObject, Risk, Tool


class Pin(enum.StrEnum):
    """How what a server lists now stands to what was pinned. Only PINNED tools can be called."""

    PINNED = "pinned"  # as first seen, or as a person accepted it last
    NEW = "new"  # came to a server that was known already, and waits for a person
    CHANGED = "changed"  # not as it was pinned, and waits for a person
    DOUBLED = "doubled"  # listed with two meanings: the server must list it once
    GONE = "gone"  # known from before, and not in the server's last list


class ToolRow(msgspec.Struct, frozen=True):
    """A tool in a table; `Inspect` gives its texts, its schema and what changed.

    `hash` names what the server listed last: quote it to accept that. `action`, `rules` and
    `applies` say what a call meets now, as far as that can be said without its arguments.
    """

    name: str
    pin: Pin
    hash: str
    title: str = ""
    risk: Risk = Risk.UNKNOWN
    why: str = ""  # why this risk, one sentence
    hints: tuple[str, ...] = ()  # what its server claims, in words: "reads only", "destructive"
    flags: tuple[str, ...] = ()  # what to look at twice in its definition, a sentence each
    first_ms: int = 0  # when it was first listed
    last_ms: int | None = None  # when it was last called
    calls: int = 0  # forwarded ones, since it was first listed
    hidden: bool = False  # a rule takes it out of the lists of some agent
    action: Action = Action.ASK
    rules: tuple[str, ...] = ()  # ids of the rules that say so; () where a default decides
    applies: str = ""  # the same in a sentence
    also: tuple[str, ...] = ()  # what it can do besides its risk: see model.Traits, `why`
    found: Risk | None = None  # the class that the wall found, where a person has set one


class ServerRow(msgspec.Struct, frozen=True):
    """One server that was seen, now or by an engine before this one.

    `hash` names all that it says now, tools and instructions: quote it to accept that.
    """

    name: str
    transport: str
    version: str
    sessions: int
    tools: tuple[ToolRow, ...]
    calls: int
    hash: str = ""
    first_ms: int = 0
    new: bool = False  # nobody has looked at it since it was first seen
    instructions_changed: bool = False  # none of its tools can be called until accepted
    flags: tuple[str, ...] = ()  # what to look at twice in its instructions
    said: tuple[str, ...] = ()  # its last lines on stderr
    whole: bool = True  # its list of tools was read to the end, once at least
    life: Life = Life()


class Recommendation(msgspec.Struct, frozen=True):
    """A rule for a tool, or for the tools of one class of a server, as PutRule takes it."""

    fields: JsonObject
    reason: str  # one sentence


class Difference(msgspec.Struct, frozen=True):
    """One place where two definitions differ: `path` as in `inputSchema.properties.to.type`.

    `before` and `after` are JSON text, None where there is nothing.
    """

    path: str
    before: str | None
    after: str | None


# --- commands -----------------------------------------------------------------------------------


class Inspect(msgspec.Struct, frozen=True, tag="inspect"):
    """All that is known of one tool, or with tool "" of a server's instructions. -> Inspected"""

    server: str
    tool: str = ""


class AcceptTool(msgspec.Struct, frozen=True, tag="accept_tool"):
    """Pin what the server lists now; refused unless `hash` is the one on screen."""

    server: str
    tool: str
    hash: str


class AcceptServer(msgspec.Struct, frozen=True, tag="accept_server"):
    """Pin all that a server says now, its instructions too; quotes ServerRow.hash."""

    server: str
    hash: str


class Hide(msgspec.Struct, frozen=True, tag="hide"):
    """Take a tool out of every agent's list, or put it back: a rule of its own in config.toml."""

    server: str
    tool: str
    on: bool


class Block(msgspec.Struct, frozen=True, tag="block"):
    """Deny every call of a tool, or no more: a rule of its own in config.toml."""

    server: str
    tool: str
    on: bool


class Recommend(msgspec.Struct, frozen=True, tag="recommend"):
    """The recommended rules for a tool, for a server (tool ""), or for all (server "").

    With `apply` they are written to config.toml in one step that can be undone. -> Recommended
    """

    server: str = ""
    tool: str = ""
    apply: bool = False


class Classify(msgspec.Struct, frozen=True, tag="classify"):
    """Set the class of risk of a tool; `risk` None: go by what the wall finds. -> Classified

    Only with `apply` is it written to config.toml, in one step that can be undone.
    """

    server: str
    tool: str
    risk: Risk | None
    apply: bool = False


class MatchTools(msgspec.Struct, frozen=True, tag="match_tools"):
    """Which of the tools that are known a rule would be about. -> ToolsMatched

    `fields` are keys of its TOML table that choose tools: server, tool, method, risk, reach, reads.
    """

    fields: JsonObject


# --- replies ------------------------------------------------------------------------------------


class Inspected(msgspec.Struct, frozen=True, tag="inspected"):
    """A tool as its server listed it last, beside what is pinned.

    `pinned` is None where nothing is. For a server's instructions `tool` and `row` are None and
    both definitions have the one key `instructions`.
    """

    server: str
    hash: str
    definition: JsonObject
    pinned: JsonObject | None
    differences: tuple[Difference, ...] = ()
    row: ToolRow | None = None
    tool: Tool | None = None
    recommended: Recommendation | None = None


class Recommended(msgspec.Struct, frozen=True, tag="recommended"):
    """The rules, and what they change of config.toml (a unified diff); `applied` if they are in."""

    rules: tuple[Recommendation, ...]
    diff: str = ""
    applied: bool = False


class Classified(msgspec.Struct, frozen=True, tag="classified"):
    """A tool as it stands and as it would with another class, or does now if that is `applied`.

    `let_go` are calls of it that wait now and would pass then without an answer; `diff` is of
    config.toml.
    """

    before: ToolRow
    after: ToolRow
    let_go: int = 0
    diff: str = ""
    applied: bool = False


class ToolsMatched(msgspec.Struct, frozen=True, tag="tools_matched"):
    """The names of the tools that match, by their server, of `known` tools that there are."""

    known: int
    matched: dict[str, tuple[str, ...]] = {}
