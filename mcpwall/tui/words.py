"""The words, signs and styles in which the app speaks of a call. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mcpwall.engine.port_calls import State
from mcpwall.model import Cause, Risk
from mcpwall.text import clip, fit, visible, width

if TYPE_CHECKING:
    from mcpwall.engine.port_calls import Row
    from mcpwall.query import Subject


class Standing(NamedTuple):
    """How a call stands: a sign and a word, which say it all, and a style, which says it again."""

    sign: str
    word: str
    style: str

    def __str__(self) -> str:
        return f"{self.sign} {self.word}"


# What a server asks of an agent, by method; all else is asked of the server.
ASKED_OF_AGENTS = frozenset(("sampling/createMessage", "elicitation/create", "roots/list"))
GONE = Standing("○", "NO ENGINE", "alarm")
SILENT = Standing("○", "NO ANSWER", "alarm")  # it is there, and stopped or very busy
LOCKED = Standing("■", "LOCKDOWN: no tool call passes", "alarm")

RISKS = {
    Risk.READ: ("READ", "dim"),
    Risk.WRITE: ("WRITE", "warn"),
    Risk.EXECUTE: ("EXEC", "bad"),
    Risk.DESTRUCTIVE: ("DESTROY", "alarm"),
    Risk.FINANCIAL: ("MONEY", "alarm"),
    Risk.UNKNOWN: ("UNKNOWN", "warn"),
}

_OPEN = {
    State.HELD: Standing("?", "waiting", "waiting"),
    State.RESERVING: Standing(">", "asks store", "accent"),
    State.RUNNING: Standing(">", "running", "accent"),
    State.ERROR: Standing("!", "error", "bad"),
    State.LOST: Standing("!", "lost", "alarm"),
    State.WITHDRAWN: Standing("-", "withdrawn", "dim"),
}
_ALLOWED = {Cause.PERSON: "by you", Cause.ANSWER: "allow"}
_REFUSED = {
    Cause.LIMIT: Standing("~", "limit", "warn"),
    Cause.BUDGET: Standing("~", "budget", "warn"),
    Cause.LOCKDOWN: Standing("✗", "lockdown", "bad"),
    Cause.PAUSED: Standing("✗", "paused", "bad"),
    Cause.UNLISTED: Standing("✗", "not listed", "bad"),
    Cause.HIDDEN: Standing("✗", "hidden", "bad"),
    Cause.PERSON: Standing("✗", "by you", "bad"),
    Cause.UNATTENDED: Standing("✗", "no answer", "bad"),
    Cause.FULL: Standing("✗", "queue full", "bad"),
    Cause.FAULT: Standing("✗", "fault", "alarm"),
}

# What refuses a call whatever the rules say, and the action by which a person changes that.
BEYOND_RULES = {
    Cause.LOCKDOWN: ("the wall was locked down", "app.lockdown"),
    Cause.PAUSED: ("its session was paused", "app.sessions"),
    Cause.UNLISTED: ("its tool was not listed, or not accepted as it is", "app.servers"),
}


def standing(row: Row) -> Standing:
    """How a call stands, naming the rule that refused it or the answer that let it through."""
    if found := _OPEN.get(row.state):
        return found
    cause = row.verdict.cause
    rule = f" {visible(row.verdict.rules[0])}" if row.verdict.rules else ""
    if row.state is State.DONE:
        word = "edited" if row.edited else _ALLOWED.get(cause, "allow")
        return Standing("✓", word + (rule if cause is Cause.ANSWER else ""), "ok")
    refused = _REFUSED.get(cause, Standing("✗", "deny", "bad"))
    named = cause in (Cause.RULE, Cause.LIMIT, Cause.BUDGET, Cause.ANSWER)
    return refused._replace(word=refused.word + rule) if named else refused


def wants(row: Row) -> str:
    """Who wants something of whom, raw: what it is, `called` says."""
    if row.method == "tools/call":
        return f"{row.agent} wants to run"
    if row.method in ASKED_OF_AGENTS:
        return f"{row.server} asks {row.agent}"
    return f"{row.agent} asks"


def risk(row: Row) -> tuple[str, str]:
    """Its class of risk in a word, and the style of it. A server's question runs no tool."""
    return ("ASKS", "warn") if row.method in ASKED_OF_AGENTS else RISKS[row.risk]


def called(row: Subject) -> str:
    """What was called, raw: `server.tool`, or server, method and name for other requests."""
    if row.method == "tools/call":
        return f"{row.server}.{row.tool}"
    return f"{row.server} {row.method} {row.tool}".rstrip()


def many(number: int, thing: str) -> str:
    """How many things, in words: `1 call`, `1,200 calls`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def short_agent(agent: str, cells: int) -> str:
    """An agent's name in at most `cells` cells that keeps its number: `claude-c…#1`."""
    name, mark, number = visible(agent).rpartition("#")
    if not mark or width(number) > cells // 2:
        return fit(agent, cells)
    return clip(name, cells - width(number) - 1) + mark + number
