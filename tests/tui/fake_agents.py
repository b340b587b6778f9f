"""Agents' config files for tests of the app: listed, offered and written by a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.guarding import AgentFile, AgentServer, GuardingError, Offer, Stand

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHY = {
    Stand.GUARDED: "goes through the wall as {}",
    Stand.OPEN: "not guarded",
    Stand.LEFT: "left alone: it is reached by the older HTTP+SSE transport, not spoken here",
}


def server(name: str, stand: Stand, command: str = "") -> AgentServer:
    return AgentServer(name, ("mcpServers", name), stand, _WHY[stand].format(name), command)


def agent_file(
    path: str, agent: str, guarded: int = 0, unguarded: int = 0, left: int = 0
) -> AgentFile:
    """A file with so many servers that stand so."""
    counts = ((Stand.GUARDED, guarded), (Stand.OPEN, unguarded), (Stand.LEFT, left))
    stands = [stand for stand, count in counts for _ in range(count)]
    return AgentFile(path, agent, tuple(server(f"s{n}", stand) for n, stand in enumerate(stands)))


GITHUB = server(
    "github", Stand.OPEN, "mcpwall stdio github -- npx -y @modelcontextprotocol/server-github"
)
CLAUDE = AgentFile(
    "~/.claude.json",
    "Claude Code",
    (GITHUB, *(server(name, Stand.OPEN) for name in ("fs", "db", "web"))),
)
CODEX = AgentFile(
    "~/.codex/config.toml",
    "Codex",
    (server("docs", Stand.GUARDED), server("git", Stand.OPEN), server("old", Stand.LEFT)),
)
CURSOR = AgentFile("~/.cursor/mcp.json", "Cursor")
BROKEN = AgentFile(
    ".vscode/mcp.json", "VS Code", problem=".vscode/mcp.json:3: a value should stand here"
)
FILES = (CLAUDE, CODEX, CURSOR, BROKEN)
DIFF = (
    "--- ~/.claude.json",
    "+++ ~/.claude.json",
    "@@ -4,2 +4,2 @@",
    '-      "command": "npx",',
    '-      "args": ["-y", "@modelcontextprotocol/server-github"]',
    '+      "command": "/home/dev/.local/bin/mcpwall",',
    '+      "args": ["stdio", "github", "--", "npx", "-y", "@modelcontextprotocol/server-github"]',
)
SAID = ("routed what was chosen", "Start these agents again")


class FakeAgents:
    """`trouble` is what a write fails with; `written` are files and servers that were written."""

    def __init__(self, *files: AgentFile, diff: Sequence[str] = DIFF, trouble: str = "") -> None:
        self.now = list(files)
        self.diff = diff
        self.trouble = trouble
        self.looks = 0
        self.written: list[tuple[str, str]] = []

    def files(self) -> Sequence[AgentFile]:
        self.looks += 1
        return tuple(self.now)

    def offer(self, file: AgentFile, chosen: AgentServer | None) -> Offer:
        if file.agent == "Codex":
            raise GuardingError(f"{file.path}: config.toml does not load; nothing was changed")

        def write() -> Sequence[str]:
            if self.trouble:
                raise GuardingError(self.trouble)
            self.written.append((file.path, chosen.name if chosen else ""))
            servers = [
                server(one.name, Stand.GUARDED) if chosen in (None, one) else one
                for one in file.servers
            ]
            self.now[self.now.index(file)] = AgentFile(file.path, file.agent, tuple(servers))
            return SAID

        return Offer(self.diff, write)
