"""The agents that are known: where each keeps its MCP servers, and in which shape. Data, pure.

docs/agents.md has the same as a table for people, with what each line was checked against.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mcpwall.clients.places import Places

USER, PROJECT = "user", "project"
FILES_MAX: Final = 30  # that one pattern finds
ANY: Final = "*"  # in a path of keys: every member

# VS Code and its forks, by directory.
EDITORS: Final = ("Code", "Code - Insiders", "Code - OSS", "VSCodium")


@dataclass(frozen=True, slots=True)
class Timeout:
    """An agent's setting, in a server's own table, of how long it waits for a tool.

    `unit` is how many of its units a second has; `usual_s` is what holds without it.
    """

    key: str
    unit: int
    usual_s: int


@dataclass(frozen=True, slots=True)
class Shape:
    """How an agent writes a server.

    Without `args`, `command` is a list of the program and its arguments. `stdio` is what `type`
    says of a server that is started. A URL under `older` means the HTTP+SSE transport of before
    2025-03-26, where no `type` says otherwise. With `inside`, command or URL stand in a table of
    this name.
    """

    command: str = "command"
    args: str = "args"
    env: str = "env"
    urls: tuple[str, ...] = ("url",)
    stdio: str = "stdio"
    older: str = ""
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A file, whose it is, and the keys under which its servers are.

    What is `aside` is a file for other things, of note only where it has servers.
    """

    file: Path
    scope: str
    keys: tuple[tuple[str, ...], ...]
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent; `client` is the name that it gives to servers, as far as it is known.

    `other` is a second way in which it writes a server.
    """

    id: str
    title: str
    places: Callable[[Places], Iterator[Place]]
    shape: Shape = Shape()
    client: str = ""
    timeout: Timeout | None = None
    other: Shape | None = None


_MCP_SERVERS: Final = (("mcpServers",),)
_IN_SETTINGS: Final = (("mcp", "servers"), ("mcp.servers",))  # VS Code before 1.102
_OPENCODE_KEYS: Final = (("mcp", "servers"), ("mcp",))  # its second version, and its first


def _claude_code(at: Places) -> Iterator[Place]:
    own = at.variable("CLAUDE_CONFIG_DIR") / ".claude.json"
    yield Place(own, USER, (("mcpServers",), ("projects", ANY, "mcpServers")))
    yield Place(at.project / ".mcp.json", PROJECT, _MCP_SERVERS)


def _claude_desktop(at: Places) -> Iterator[Place]:
    file = at.applications / "Claude" / "claude_desktop_config.json"
    yield Place(file, USER, _MCP_SERVERS)


def _cursor(at: Places) -> Iterator[Place]:
    yield Place(at.home / ".cursor" / "mcp.json", USER, _MCP_SERVERS)
    yield Place(at.project / ".cursor" / "mcp.json", PROJECT, _MCP_SERVERS)


def _vscode(at: Places) -> Iterator[Place]:
    for editor in EDITORS:
        user = at.applications / editor / "User"
        for folder in (user, *sorted(user.glob("profiles/*"))):
            yield Place(folder / "mcp.json", USER, (("servers",),))
            yield Place(folder / "settings.json", USER, _IN_SETTINGS, aside=True)
    yield Place(at.project / ".vscode" / "mcp.json", PROJECT, (("servers",),))
    yield Place(at.project / ".vscode" / "settings.json", PROJECT, _IN_SETTINGS, aside=True)


def _windsurf(at: Places) -> Iterator[Place]:
    for folder in (at.home / ".codeium" / "windsurf", at.home / ".codeium"):
        yield Place(folder / "mcp_config.json", USER, _MCP_SERVERS)


def _kiro(at: Places) -> Iterator[Place]:
    for folder, scope in ((at.home, USER), (at.project, PROJECT)):
        yield Place(folder / ".kiro" / "settings" / "mcp.json", scope, _MCP_SERVERS)


def _trae(at: Places) -> Iterator[Place]:
    for editor in ("Trae", "Trae CN"):
        yield Place(at.applications / editor / "User" / "mcp.json", USER, _MCP_SERVERS)
    yield Place(at.project / ".trae" / "mcp.json", PROJECT, _MCP_SERVERS)


def _codex(at: Places) -> Iterator[Place]:
    own = at.variable("CODEX_HOME", ".codex")
    yield Place(own / "config.toml", USER, (("mcp_servers",),))
    yield Place(at.project / ".codex" / "config.toml", PROJECT, (("mcp_servers",),))


def _gemini(at: Places) -> Iterator[Place]:
    own = at.variable("GEMINI_CLI_HOME") / ".gemini"
    yield Place(own / "settings.json", USER, _MCP_SERVERS)
    yield Place(at.project / ".gemini" / "settings.json", PROJECT, _MCP_SERVERS)


def _qwen(at: Places) -> Iterator[Place]:
    yield Place(at.variable("QWEN_HOME", ".qwen") / "settings.json", USER, _MCP_SERVERS)
    yield Place(at.project / ".qwen" / "settings.json", PROJECT, _MCP_SERVERS)


def _opencode(at: Places) -> Iterator[Place]:
    own = at.config / "opencode"
    folders = [(own, USER), (at.home / ".opencode", USER)]
    folders += [(at.project, PROJECT), (at.project / ".opencode", PROJECT)]
    if folder := at.named("OPENCODE_CONFIG_DIR"):
        folders.insert(0, (folder, USER))
    if file := at.named("OPENCODE_CONFIG"):
        yield Place(file, USER, _OPENCODE_KEYS)
    for folder, scope in folders:
        for name in ("opencode.json", "opencode.jsonc"):
            yield Place(folder / name, scope, _OPENCODE_KEYS)
    yield Place(own / "config.json", USER, _OPENCODE_KEYS, aside=True)


def _copilot(at: Places) -> Iterator[Place]:
    own = at.variable("COPILOT_HOME", ".copilot")
    yield Place(own / "mcp-config.json", USER, _MCP_SERVERS)
    yield Place(at.project / ".github" / "mcp.json", PROJECT, _MCP_SERVERS)


def _cline(at: Places) -> Iterator[Place]:
    name = "cline_mcp_settings.json"
    for editor in (*EDITORS, "Cursor", "Windsurf", "Kiro", "Trae"):
        kept = at.applications / editor / "User" / "globalStorage" / "saoudrizwan.claude-dev"
        yield Place(kept / "settings" / name, USER, _MCP_SERVERS)
    if file := at.named("CLINE_MCP_SETTINGS_PATH"):
        yield Place(file, USER, _MCP_SERVERS)
    own = at.named("CLINE_DATA_DIR") or at.variable("CLINE_DIR", ".cline") / "data"
    yield Place(own / "settings" / name, USER, _MCP_SERVERS)


def _found(folder: Path, pattern: str) -> list[Path]:
    """Files by a pattern, as many as anybody has: a project can hold any number of them."""
    return sorted(itertools.islice(folder.glob(pattern), FILES_MAX))


def _continue(at: Places) -> Iterator[Place]:
    own = at.variable("CONTINUE_GLOBAL_DIR", ".continue")
    yield Place(own / "config.yaml", USER, _MCP_SERVERS)
    for folder, scope in ((own, USER), (at.project / ".continue", PROJECT)):
        for ending in ("yaml", "yml", "json"):
            for file in _found(folder, f"mcpServers/**/*.{ending}"):
                yield Place(file, scope, _MCP_SERVERS)
        for ending in ("yaml", "yml"):  # whole agents, which had another name before
            for kind in ("agents", "assistants"):
                for file in _found(folder, f"{kind}/**/*.{ending}"):
                    yield Place(file, scope, _MCP_SERVERS, aside=True)


def _zed(at: Places) -> Iterator[Place]:
    windows = at.platform == "win32"
    own = at.roaming / "Zed" if windows else at.config / "zed"
    yield Place(own / "settings.json", USER, (("context_servers",),))
    yield Place(at.project / ".zed" / "settings.json", PROJECT, (("context_servers",),))


def _goose(at: Places) -> Iterator[Place]:
    windows = at.platform == "win32"
    own = at.roaming / "Block" / "goose" / "config" if windows else at.config / "goose"
    yield Place(own / "config.yaml", USER, (("extensions",),))


_OPENCODE: Final = Shape(args="", env="environment", stdio="local")
_GEMINI: Final = Shape(urls=("httpUrl", "url"), older="url")
_CLINE: Final = Shape(older="url")
_CLINE_NOW: Final = Shape(older="url", inside="transport")
_ZED_BEFORE: Final = Shape(command="path", inside="command")
_WINDSURF: Final = Shape(urls=("serverUrl", "url"))
_GOOSE: Final = Shape(command="cmd", env="envs", urls=("uri",))

AGENTS: Final = (
    Agent("claude-code", "Claude Code", _claude_code, client="claude-code"),
    Agent("claude-desktop", "Claude Desktop", _claude_desktop, client="claude-ai"),
    Agent("cursor", "Cursor", _cursor, client="cursor-vscode"),
    Agent("vscode", "VS Code", _vscode, client="Visual Studio Code"),
    Agent("windsurf", "Windsurf", _windsurf, _WINDSURF, "windsurf-client"),
    Agent("kiro", "Kiro", _kiro),
    Agent("trae", "Trae", _trae),
    Agent(
        "codex",
        "Codex",
        _codex,
        client="codex-mcp-client",
        timeout=Timeout("tool_timeout_sec", 1, 300),
    ),
    Agent(
        "gemini",
        "Gemini CLI",
        _gemini,
        _GEMINI,
        "gemini-cli-mcp-client",
        Timeout("timeout", 1000, 600),
    ),
    Agent("qwen", "Qwen Code", _qwen, _GEMINI, timeout=Timeout("timeout", 1000, 600)),
    Agent("opencode", "opencode", _opencode, _OPENCODE, "opencode"),
    Agent("copilot", "Copilot CLI", _copilot, client="github-copilot-developer"),
    Agent("cline", "Cline", _cline, _CLINE, "Cline", Timeout("timeout", 1, 60), _CLINE_NOW),
    Agent("continue", "Continue", _continue, client="continue-client"),
    Agent("zed", "Zed", _zed, client="Zed", other=_ZED_BEFORE),
    Agent("goose", "Goose", _goose, _GOOSE, "goose", Timeout("timeout", 1, 300)),
)
BY_ID: Final = {agent.id: agent for agent in AGENTS}
