"""Every key that a config may have, and how each is read.

This is the whole list: a key that is not here is an error. A test holds `config.example.toml`
against it. The meaning of the keys is in docs/rules.md; whether a condition makes sense is
`policy.compiled`'s to say.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from mcpwall.model import (
    Action,
    After,
    Budget,
    Condition,
    Per,
    RateLimit,
    Reach,
    Reads,
    Rest,
    Risk,
)
from mcpwall.store.app import app, keys
from mcpwall.store.audit_config import audit
from mcpwall.store.forms import (
    BadValueError,
    Problem,
    Reader,
    bad,
    choice,
    flag,
    kind,
    named,
    patterns,
    plain,
    shown,
    table,
    text,
)
from mcpwall.store.http import http
from mcpwall.store.quantities import amount, count, duration
from mcpwall.store.remotes import REMOTE, RemoteConfig, remote
from mcpwall.store.risk_config import risks
from mcpwall.store.shared.setting import store


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How to start a stdio server: `[servers.NAME]` with a `command`."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold secrets
    cwd: str = ""  # "": where the agent runs
    trust_hints: bool = False  # what it says of its own tools may lower their risk
    rest: Rest | None = None  # what becomes of the tools that no rule names
    risk: Mapping[str, Risk] = field(default_factory=dict)  # classes that the person gives to tools


AnyServer: TypeAlias = ServerConfig | RemoteConfig


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """What differs for one agent, by its client name: `[agents.NAME]`."""

    hold_s: float | None = None  # None: defaults.hold


_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_RATE: Final = re.compile(r"(\d{1,9}) ?(?:/|per) ?(\d{0,9}) ?([a-z]+)", re.ASCII)
_RATE_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86400),
}
_MAX_REASON: Final = 500


def _identifier(value: Any) -> str:
    if not _ID.fullmatch(text(value)):
        raise bad(
            f"is {shown(value)}", "use up to 64 letters, digits, '-', '_' and '.', no other first"
        )
    return str(value)


def _reason(value: Any) -> str:
    if len(text(value)) > _MAX_REASON:
        raise bad(f"has {len(value)} characters", f"write at most {_MAX_REASON}")
    return str(value)


def _action(value: Any) -> Action:
    return Action(choice([*Action])(value))


def _tightening(value: Any) -> Action:
    action = _action(value)
    if action in (Action.ALLOW, Action.APPROVE):
        raise bad(
            f"is {action.value!r}, but a project's file may only tighten",
            "put this into your own config.toml",
        )
    return action


def _class_default(value: Any) -> Action:
    return Action(choice([Action.ALLOW, Action.ASK, Action.DENY])(value))


def _unattended(value: Any) -> Action:
    if text(value) != Action.DENY:
        raise bad(
            'can only be "deny": a call that nobody looked at was not approved',
            'for what may pass while you are away write rules with action = "allow" or "approve"',
        )
    return Action.DENY


def _some(names: type[Risk | Reach | Reads]) -> Reader:
    """A reader of one or several of these words."""
    one = choice([*names])
    return lambda value: tuple(names(one(item)) for item in patterns(value))


def _conditions(value: Any) -> tuple[Condition, ...]:
    """`when`: for each argument a plain value (equals), or a table of operators, all required."""
    if not isinstance(value, dict):
        raise bad(f"must be a table, not {kind(value)}", 'write when = { path = { glob = "…" } }')
    if not value:
        raise bad("is empty", "leave the key out to match all arguments")
    conditions: list[Condition] = []
    problems: list[Problem] = []
    for argument, test in value.items():
        tests = test if isinstance(test, dict) else {"equals": test}
        try:
            if not tests:
                raise bad("has no operator", 'write for example { glob = "…" }')
            conditions += [
                Condition(argument=argument, op=op, value=plain(operand))
                for op, operand in tests.items()
            ]
        except BadValueError as error:
            problems += [problem.under(argument) for problem in error.problems]
    if problems:
        raise BadValueError(*problems)
    return tuple(conditions)


RATE_LIMIT: Final[Mapping[str, Reader]] = {
    "max": count,
    "window": duration,
    "per": choice([*Per]),
    "per_argument": text,
}
BUDGET: Final[Mapping[str, Reader]] = {
    "sum": text,
    "max": amount,
    "window": duration,
    "per": choice([*Per]),
    "per_argument": text,
}
AFTER: Final[Mapping[str, Reader]] = {
    "server": patterns,
    "tool": patterns,
    "method": patterns,
    "risk": _some(Risk),
    "reach": _some(Reach),
    "reads": _some(Reads),
    "within": duration,
}


def _after(value: Any) -> After:
    """Which earlier calls, and how long ago at most."""
    read = table(AFTER, "after")(value)
    within_s = read.pop("within", None)
    if not read:
        raise bad("names no calls", 'write for example { reads = "secrets" } or { tool = "get_*" }')
    return After(**read, within_s=within_s)


def _rate(name: str) -> Reader:
    """A reader of `{ max, window, per }`, or "10/minute", "10/60s", "10 per minute"."""
    return lambda value: _rate_limit(value, name)


def _rate_limit(value: Any, name: str) -> RateLimit:
    if not isinstance(value, str):
        read = table(RATE_LIMIT, name, required=("max", "window"))(value)
        per = Per(read.get("per", Per.TOOL))
        return RateLimit(read["max"], read["window"], per, read.get("per_argument", ""))
    found = _RATE.fullmatch(value)
    if not found or found[3] not in _RATE_UNITS:
        fix = 'write "10/minute", "10/60s" or { max = 10, window = "60s" }'
        raise bad(f"is {shown(value)}", fix)
    window = int(found[2] or 1) * _RATE_UNITS[found[3]]
    return RateLimit(count(int(found[1])), duration(window))


def _budget(value: Any) -> Budget:
    read = table(BUDGET, "budget", required=("sum", "max", "window"))(value)
    if not read["sum"]:
        raise BadValueError(Problem(("sum",), "must name an argument", subject="sum"))
    per = Per(read.get("per", Per.TOOL))
    apart = read.get("per_argument", "")
    return Budget(read["sum"], read["max"], read["window"], per, apart)


def _command(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        fix = 'write a list of words: ["uvx", "mcp-server-git"]'
        raise bad(f"must be a list of strings, not {kind(value)}", fix)
    if not value or not all(isinstance(word, str) and "\0" not in word for word in value):
        raise bad("must be a list of strings with the program first")
    if not value[0]:
        raise bad("has no program", "put the program's name or path first")
    return tuple(value)


def _name(value: str) -> str:
    if not value.isprintable() or "/" in value or value[:1] in ("", "-"):
        raise bad("is no name that can be used on a command line or in a URL", "rename it")
    return value


def _env_name(value: str) -> str:
    if not value or "=" in value or "\0" in value:
        raise bad("is no name of an environment variable")
    return value


def _env_value(value: Any) -> str:
    if "\0" in text(value):
        raise bad("holds a NUL character")
    return str(value)


def _rest(value: Any) -> Rest:
    return Rest(choice([*Rest])(value))


COMMAND: Final[Mapping[str, Reader]] = {
    "command": _command,
    "env": named(_env_name, _env_value),
    "cwd": text,
    "trust_hints": flag,
}
ANY: Final[Mapping[str, Reader]] = {"default": _rest, "risk": risks}  # whoever starts it
SERVER: Final = {**COMMAND, **REMOTE, **ANY}
AGENT: Final[Mapping[str, Reader]] = {"hold": duration}
DEFAULTS: Final[Mapping[str, Reader]] = {
    **{risk.value: _class_default for risk in Risk},
    "other_methods": _class_default,
    "unattended": _unattended,
    "hold": duration,
}
RULE: Final[Mapping[str, Reader]] = {
    "id": _identifier,
    "server": patterns,
    "tool": patterns,
    "agent": patterns,
    "method": patterns,
    "risk": _some(Risk),
    "reach": _some(Reach),
    "reads": _some(Reads),
    "when": _conditions,
    "after": _after,
    "repeat": count,
    "more_than": _rate("more_than"),
    "action": _action,
    "hide": flag,
    "rate_limit": _rate("rate_limit"),
    "budget": _budget,
    "reason": _reason,
    "enabled": flag,
}
PROJECT_DEFAULTS: Final[Mapping[str, Reader]] = {
    key: _tightening for key in DEFAULTS if key not in ("unattended", "hold")
}
PROJECT_RULE: Final[Mapping[str, Reader]] = {**RULE, "action": _tightening}


def _defaults(keys: Mapping[str, Reader], name: str) -> Reader:
    """A reader of `[defaults]`; the result is named as in `model.Defaults`."""

    def read(value: Any) -> dict[str, Any]:
        read = table(keys, name)(value)
        if "hold" in read:
            read["hold_s"] = read.pop("hold")
        return read

    return read


def _server(value: Any) -> AnyServer:
    """One that is started (`command`) or one that is reached (`url`), each with keys of its own."""
    read = table(SERVER, "a [servers] table")(value)
    if "command" in read and "url" in read:
        what, fix = "stands beside command", "keep one: a server is either started or reached"
        raise BadValueError(Problem(("url",), what, fix, "url"))
    rest, risk = read.pop("default", None), read.pop("risk", {})
    if "url" in read:
        _only(read, REMOTE, "a url")
        return dataclasses.replace(remote(read), rest=rest, risk=risk)
    if "command" not in read and (read or (rest is None and not risk)):
        raise bad("has neither command nor url", "say how it is started, or where it is reached")
    _only(read, COMMAND, "a command")
    trust = read.get("trust_hints", False)
    command = read.get("command", ())  # one that its agent starts has only the keys of ANY
    return ServerConfig(command, read.get("env", {}), read.get("cwd", ""), trust, rest, risk)


def _project_server(value: Any) -> ServerConfig:
    """What a project's file may say of a server: that some tools count as more than they are."""
    keys = {"risk": risks}
    name = "a project's file, which may only set the risk of a server's tools"
    read = table(keys, name)(value)
    if not read:
        raise bad("says nothing", "set the risk of its tools, or leave it out")
    return ServerConfig((), risk=read["risk"])


def is_reachable(server: AnyServer) -> bool:
    """Whether the table says how to come to the server, and not only what holds for its tools."""
    return isinstance(server, RemoteConfig) or bool(server.command)


def _only(read: Mapping[str, Any], keys: Mapping[str, Reader], what: str) -> None:
    """Refuse keys that say nothing about a server of this kind."""
    if stray := [key for key in read if key not in keys]:
        problem = f"means nothing for a server with {what}"
        raise BadValueError(*(Problem((key,), problem, "take it out", key) for key in stray))


def _agent(value: Any) -> AgentConfig:
    return AgentConfig(table(AGENT, "an [agents] table")(value).get("hold"))


def _as_it_is(value: Any) -> Any:
    return value


RULE_TABLE: Final = table(RULE, "[[rules]]")
PROJECT_RULE_TABLE: Final = table(PROJECT_RULE, "[[rules]]")
USER_FILE: Final = table(
    {
        "defaults": _defaults(DEFAULTS, "[defaults]"),
        "servers": named(_name, _server),
        "agents": named(text, _agent),
        "http": http,
        "audit": audit,
        "app": app,
        "store": store,
        "keys": keys,
        "rules": _as_it_is,  # each by RULE_TABLE
    },
    "the file",
)
PROJECT_FILE: Final = table(
    {
        "defaults": _defaults(PROJECT_DEFAULTS, "[defaults] of a project's file"),
        "servers": named(_name, _project_server),
        "rules": _as_it_is,
    },
    "a project's file, which has only [defaults], [servers.NAME.risk] and [[rules]]",
)
