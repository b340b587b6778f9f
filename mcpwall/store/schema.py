"""Every table that a config file may have, and how each is read.

This is the whole list, put together here: what a rule may say stands in `store.rule_config`, and
the larger tables have files of their own too. A key that is not in it is an error. A test holds
`config.example.toml` against it. docs/rules.md and docs/servers.md say what the keys mean.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from mcpwall.model import Action, Rest, Risk
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
    table,
    text,
)
from mcpwall.store.http import http
from mcpwall.store.quantities import duration
from mcpwall.store.remotes import REMOTE, RemoteConfig, remote
from mcpwall.store.risk_config import risks
from mcpwall.store.rule_config import tightening
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


def way_to(server: AnyServer) -> tuple[object, ...]:
    """What is started or reached, and with which secrets: all that decides who gets the calls."""
    if isinstance(server, ServerConfig):
        return server.command, server.env, server.cwd
    return server.url, server.headers, server.oauth


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """What differs for one agent, by its client name: `[agents.NAME]`."""

    hold_s: float | None = None  # None: defaults.hold


def _class_default(value: Any) -> Action:
    return Action(choice([Action.ALLOW, Action.ASK, Action.DENY])(value))


def _unattended(value: Any) -> Action:
    if text(value) != Action.DENY:
        raise bad(
            'can only be "deny": a call that nobody looked at was not approved',
            'for what may pass while you are away write rules with action = "allow" or "approve"',
        )
    return Action.DENY


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
PROJECT_DEFAULTS: Final[Mapping[str, Reader]] = {
    key: tightening for key in DEFAULTS if key not in ("unattended", "hold")
}


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
        "rules": _as_it_is,  # each by `rule_config.RULE_TABLE`
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
