"""The values that every room shares: calls, tools, rules, verdicts.

All frozen, all plain data (msgspec structs, so they travel over the control socket as they are),
and free of cycles, so what comes with every call is no work for the garbage collector (`gc=False`).
Nothing here does I/O, reads a clock or knows an engine.

Units: `*_ms` are milliseconds since the Unix epoch (wall clock); `*_ns` are nanoseconds of the
engine's steady clock, which never jumps; `*_us` are microseconds of duration.
"""

from __future__ import annotations

import enum
from typing import Any, Final, TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, Any]
RequestId: TypeAlias = str | int

TOOLS_CALL: Final = "tools/call"  # the method that runs a tool; all others are requests without one


class Risk(enum.StrEnum):
    """What a tool can do at worst; `UNKNOWN` is treated as something that changes things."""

    READ = "read"
    WRITE = "write"
    EXECUTE = "execute"
    DESTRUCTIVE = "destructive"
    FINANCIAL = "financial"
    UNKNOWN = "unknown"


# What the person who allows such a call takes two different keys for.
TWO_KEYS: Final = frozenset((Risk.EXECUTE, Risk.DESTRUCTIVE, Risk.FINANCIAL))


class Reach(enum.StrEnum):
    """How far what a tool is given can go."""

    LOCAL = "local"  # files of this machine
    SERVICE = "service"  # the service that the server is for
    NET = "net"  # any address, or people outside; also where nothing says how far


class Reads(enum.StrEnum):
    """What a tool can bring into the agent's context that a rule may care about."""

    SECRETS = "secrets"  # passwords, keys, environment variables
    UNTRUSTED = "untrusted"  # text from strangers: web pages, mail, issues, messages


class Action(enum.StrEnum):
    """What a rule says, or what a verdict orders.

    `APPROVE` exists only in rules: a standing approval, which answers an ask and nothing else.
    """

    ALLOW = "allow"
    APPROVE = "approve"
    ASK = "ask"
    DENY = "deny"


# Through its class, Python 3.11 finds a member ten times slower than by a name of its own.
ALLOW: Final = Action.ALLOW
ASK: Final = Action.ASK
DENY: Final = Action.DENY


class Rest(enum.StrEnum):
    """What becomes of the tools of a server that no rule names, where that is not the default."""

    DENY = "deny"
    HIDE = "hide"


class Cause(enum.StrEnum):
    """Which step of the order of judgement made a verdict."""

    LOCKDOWN = "lockdown"
    PAUSED = "paused"  # a person lets no tool call of this session pass
    UNLISTED = "unlisted"  # the server never listed this tool, or it changed and nobody accepted it
    HIDDEN = "hidden"  # a rule hides this tool: to the agent it is none
    RULE = "rule"
    LIMIT = "limit"  # a rate_limit is used up
    BUDGET = "budget"  # a budget is used up
    ANSWER = "answer"  # an ask, answered by a remembered answer or by a standing approval
    PERSON = "person"  # an ask, answered by a person for this one call
    UNATTENDED = "unattended"  # an ask that nobody answered in time
    FULL = "full"  # an ask, while as many calls wait for a person as may
    DEFAULT = "default"  # no rule decides: the default of the tool's risk class
    FAULT = "fault"  # the wall itself could not do its work (audit not writable, rules unreadable)


RULE: Final = Cause.RULE
DEFAULT: Final = Cause.DEFAULT


class Per(enum.StrEnum):
    """What a limit counts apart. See docs/rules.md, "Counted per"."""

    TOOL = "tool"  # each (server, tool): the default
    SERVER = "server"
    AGENT = "agent"  # the client's name, the same over reconnects
    SESSION = "session"


class RateLimit(msgspec.Struct, frozen=True):
    """At most `max` forwarded calls in any `window_s` seconds, counted apart by `per`."""

    max: int
    window_s: float
    per: Per = Per.TOOL
    per_argument: str = ""  # counted apart by this argument's value too

    def apart(self) -> str:
        """What it counts apart, in words; "" for each tool by itself."""
        return _apart(self.per, self.per_argument)


class Budget(msgspec.Struct, frozen=True):
    """The sum of argument `sum` over any `window_s` seconds stays at or under `max` (a decimal)."""

    sum: str
    max: str
    window_s: float
    per: Per = Per.TOOL
    per_argument: str = ""  # counted apart by this argument's value too

    def apart(self) -> str:
        """What it counts apart, in words; "" for each tool by itself."""
        return _apart(self.per, self.per_argument)


def _apart(per: Per, argument: str) -> str:
    words = "" if per is Per.TOOL else f" per {per}"
    return f"{words} per {argument}" if argument else words


class After(msgspec.Struct, frozen=True):
    """Which calls of the same agent must have been forwarded before, on whatever server.

    Patterns as in a rule. `within_s`: how long ago at most; None while the agent runs.
    """

    server: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()
    method: tuple[str, ...] = ()  # empty means tools/call alone
    risk: tuple[Risk, ...] = ()
    reach: tuple[Reach, ...] = ()
    reads: tuple[Reads, ...] = ()  # any of them
    within_s: float | None = None

    def words(self) -> str:
        """The same in words, with raw patterns: "notes.read_* that reads secrets within 30m"."""
        name = ", ".join(self.tool) or "*"
        parts = [f"{', '.join(self.server)}.{name}" if self.server else name]
        parts += [f"by {', '.join(self.method)}"] if self.method else []
        parts += [f"of risk {' or '.join(self.risk)}"] if self.risk else []
        parts += [f"of reach {' or '.join(self.reach)}"] if self.reach else []
        parts += [f"that reads {' or '.join(self.reads)}"] if self.reads else []
        parts += [f"within {span(self.within_s)}"] if self.within_s is not None else []
        return " ".join(parts)


class Condition(msgspec.Struct, frozen=True):
    """One test on one argument: `argument` is a path (`path`, `user.name`, `items[].url`).

    `value` is what the rule's author wrote, plain JSON data.
    """

    argument: str
    op: str
    value: Any


class Origin(msgspec.Struct, frozen=True):
    """Where a rule was written: a file as the person knows it, and a line counted from 1."""

    file: str
    line: int
    project: bool = False  # from a project's .mcpwall.toml, which may only tighten


def span(seconds: float) -> str:
    """A length of time as a config has it: `60s`, `10m`, `2h`, `1d`."""
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds > 60 and seconds % length == 0:  # noqa: PLR2004 - a minute is 60s to people
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"


class Rule(msgspec.Struct, frozen=True):
    """One `[[rules]]` table. Empty patterns match everything; `!pattern` takes out again."""

    id: str
    server: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()
    method: tuple[str, ...] = ()  # empty means tools/call alone
    risk: tuple[Risk, ...] = ()
    reach: tuple[Reach, ...] = ()
    reads: tuple[Reads, ...] = ()  # any of them
    when: tuple[Condition, ...] = ()  # all must hold
    after: After | None = None
    repeat: int | None = None  # more than so many times in a row the same call
    more_than: RateLimit | None = None  # more calls than that
    action: Action | None = None
    hide: bool = False  # no agent that it concerns sees these tools, nor can call them
    rate_limit: RateLimit | None = None
    budget: Budget | None = None
    reason: str = ""
    enabled: bool = True
    origin: Origin | None = None

    def looks_back(self) -> tuple[str, ...]:
        """What the rule asks of earlier calls, in words, with raw patterns."""
        words = []
        if self.after is not None:
            words.append(f"after {self.after.words()}")
        if self.repeat is not None:
            words.append(f"the same call more than {self.repeat} times in a row")
        if (more := self.more_than) is not None:
            words.append(f"more than {more.max} calls in {span(more.window_s)}{more.apart()}")
        return tuple(words)


class Defaults(msgspec.Struct, frozen=True):
    """What happens where no rule decides. `hold_s`: how long an ask waits for a person."""

    read: Action = Action.ALLOW
    write: Action = Action.ASK
    execute: Action = Action.ASK
    destructive: Action = Action.ASK
    financial: Action = Action.ASK
    unknown: Action = Action.ASK
    unattended: Action = Action.DENY
    other_methods: Action = Action.ALLOW  # requests that are no tools/call
    hold_s: float = 50.0


class Traits(msgspec.Struct, frozen=True):
    """What a tool can do besides its class of risk; `why` has a sentence for each finding."""

    money: bool = False  # it moves money or commits to paying
    reach: Reach = Reach.SERVICE
    reads: tuple[Reads, ...] = ()
    why: tuple[str, ...] = ()


class SetRisk(msgspec.Struct, frozen=True):
    """The class of risk that a person gives a tool, and where that is written."""

    risk: Risk  # never UNKNOWN
    origin: Origin


class Tool(msgspec.Struct, frozen=True):
    """A tool as a server listed it, and what the wall makes of it.

    `found` is the class that the wall found, where a person has set one; else None.
    """

    server: str
    name: str
    title: str = ""
    description: str = ""
    input_schema: JsonObject = {}
    annotations: JsonObject = {}
    risk: Risk = Risk.UNKNOWN
    why: str = ""  # why this risk, one sentence
    traits: Traits = Traits()
    found: Risk | None = None


class Call(msgspec.Struct, frozen=True, gc=False):
    """One request of an agent, as judged: `arguments` is the object that will be forwarded.

    `digest` is the SHA-256 (hex) over method, server, tool and canonical arguments; an approval
    names it. `agent` is one running agent (`claude-code#1`), `client` its name (`claude-code`).
    `run` names the agent's process over all its sessions: what rules on earlier calls go by.
    """

    id: int
    at_ms: int
    session: str
    agent: str
    client: str
    server: str
    method: str
    tool: str  # the tool; for other methods the prompt's name or the resource's URI
    arguments: JsonObject
    risk: Risk
    digest: str
    directory: str  # where the agent runs: relative paths start here
    run: str = ""
    reach: Reach = Reach.SERVICE
    reads: tuple[Reads, ...] = ()


class Charge(msgspec.Struct, frozen=True, gc=False):
    """What forwarding a call costs one limit: 1 for a rate limit, the amount for a budget."""

    rule: str
    key: str  # the counted thing: rule, and server/tool, agent or session
    amount: str = "1"  # a decimal


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What the judge decided on a call, and why.

    `action` is never APPROVE. `rules` are the ids that made it. `retry_s` is set for a limit:
    whole seconds, rounded up, after which the same call would pass; None where waiting never
    helps. `charges` are to be booked if, and only if, the call is forwarded.
    """

    action: Action
    cause: Cause
    rules: tuple[str, ...] = ()
    reason: str = ""
    retry_s: int | None = None
    charges: tuple[Charge, ...] = ()
    policy: str = ""  # hash of the rules in force
