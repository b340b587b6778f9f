"""Agents' config files for tests of the app: listed, offered and written by a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.guarding import AgentFile, GuardingError, Offer

if TYPE_CHECKING:
    from collections.abc import Sequence

CLAUDE = AgentFile(
    "~/.claude.json",
    "Claude Code",
    servers=4,
    unguarded=4,
    command="mcpwall stdio github -- npx -y @modelcontextprotocol/server-github",
    details=("github: not guarded", "fs: not guarded", "db: not guarded", "web: not guarded"),
)
CODEX = AgentFile(
    "~/.codex/config.toml",
    "Codex",
    servers=3,
    guarded=1,
    unguarded=1,
    left=1,
    details=(
        "docs: goes through the wall as docs",
        "git: not guarded",
        "old: left alone: it is reached by the older HTTP+SSE transport, which is not spoken here",
    ),
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
SAID = ("routed 4 servers of Claude Code", "Start these agents again")


class FakeAgents:
    """`trouble` is what a write fails with; `written` are the files that were written."""

    def __init__(self, *files: AgentFile, diff: Sequence[str] = DIFF, trouble: str = "") -> None:
        self.now = list(files)
        self.diff = diff
        self.trouble = trouble
        self.looks = 0
        self.written: list[str] = []

    def files(self) -> Sequence[AgentFile]:
        self.looks += 1
        return tuple(self.now)

    def offer(self, file: AgentFile) -> Offer:
        if file.agent == "Codex":
            raise GuardingError(f"{file.path}: config.toml does not load; nothing was changed")

        def write() -> Sequence[str]:
            if self.trouble:
                raise GuardingError(self.trouble)
            self.written.append(file.path)
            self.now[self.now.index(file)] = AgentFile(
                file.path, file.agent, servers=file.servers, guarded=file.servers
            )
            return SAID

        return Offer(self.diff, write)
