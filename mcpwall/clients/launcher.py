"""The words that start the wall in an agent's config, and how they are known again. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# where config, state and socket live: what of it init was told, the shim must be told too
VARIABLES: Final = ("MCPWALL_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
_ENV: Final = "/usr/bin/env"
_SETTING: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PYTHON: Final = re.compile(r"python[0-9.]*")
_PYTHON_FLAGS: Final = re.compile(r"-[BEIOPSbsuv]+")  # behind which -m still begins a module
_PACKAGE: Final = re.compile(r"mcpwall(@[\w.]+)?")
# a path that means one file wherever an agent runs
_FIXED: Final = re.compile(r"/|~/|[A-Za-z]:[/\\]|\\\\|\$\{?(env:)?HOME\b\}?/")
_RUNNERS: Final = (("uvx",), ("uv", "tool", "run"), ("pipx", "run"))

# programs that pass MCP on, by the last part of a word (a path or a package, without its version)
_PROXIES: Final = frozenset(
    (
        *("mcp-remote", "mcp-proxy", "supergateway", "mcp-scan", "snyk-agent-scan", "thv"),
        *("toolhive", "intercept", "mcpo", "mcp-gateway", "docker-mcp", "mcp-guardian", "1mcp"),
    )
)


@dataclass(frozen=True, slots=True)
class Routed:
    """What an agent starts is the wall: the server's name, and its command if that is given."""

    name: str
    command: tuple[str, ...]


def launcher(program: str, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The words that start the wall, at this path, with the home that is in force here."""
    told = [f"{name}={variables[name]}" for name in VARIABLES if variables.get(name)]
    return (_ENV, *told, program) if told else (program,)


def routed(words: Sequence[str]) -> Routed | None:
    """What the command of an agent's entry says to the wall; None when it starts something else."""
    words = _without_env(words)
    rest = _after_wall(words)
    if rest is None or len(rest) < 2 or rest[0] != "stdio":  # noqa: PLR2004 - stdio NAME
        return None
    return Routed(rest[1], tuple(rest[3:]) if rest[2:3] == ["--"] else ())


def another(words: Sequence[str], added: Mapping[str, str], variables: Mapping[str, str]) -> str:
    """Why what starts a wall may not start this one, as far as can be told from words; else ''.

    `added` are the variables that the agent adds, `variables` those that are in force here.
    """
    rest = _without_env(words)
    settings = words[: len(words) - len(rest)]
    told = {**dict(one.split("=", 1) for one in settings if "=" in one), **added}
    for name in VARIABLES:
        if name in told and told[name] != variables.get(name, ""):
            return f"its wall has a home of its own ({name}), and so other rules"
    if re.search(r"[/\\]", rest[0]) and not _FIXED.match(rest[0]):
        return f"it starts {rest[0]}, whatever that is where the agent runs"
    return ""


def proxy(words: Sequence[str]) -> str:
    """The name of another proxy that a command starts, or ''."""
    for word in words[:4]:
        name = _last(word)
        if name in _PROXIES:
            return name
    return "docker mcp gateway" if list(words[1:3]) == ["mcp", "gateway"] else ""


def _without_env(words: Sequence[str]) -> list[str]:
    rest = list(words)
    if rest and _last(rest[0]) == "env":
        rest = rest[1:]
        while rest and _SETTING.match(rest[0]):
            rest = rest[1:]
    return rest


def _after_wall(words: list[str]) -> list[str] | None:
    """What follows the wall's own words; None when it is not the wall that starts."""
    if not words:
        return None
    program = _last(words[0])
    if program == "mcpwall":
        return words[1:]
    if _PYTHON.fullmatch(program):
        at = next((n for n, w in enumerate(words) if n and not _PYTHON_FLAGS.fullmatch(w)), 0)
        return words[at + 2 :] if at and words[at : at + 2] == ["-m", "mcpwall"] else None
    for runner in _RUNNERS:
        size = len(runner)
        package = "".join(words[size : size + 1])
        if (program, *words[1:size]) == runner and _PACKAGE.fullmatch(package):
            return words[size + 1 :]
    return None


def _last(word: str) -> str:
    """The last part of a path or a package's name, without an ending or a version."""
    name = re.split(r"[/\\]", word)[-1].partition("@")[0]
    return re.sub(r"\.(exe|cmd|bat|js)$", "", name)
