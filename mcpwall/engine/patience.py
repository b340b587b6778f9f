"""How long known agents wait for a tool, and so how long a call of theirs may wait for a person.

Pure: a client's name (as in `clientInfo`) in, seconds out. An agent that gives up first tells its
model of a failure of the server, not of a refusal; so a hold ends some seconds before. What was
seen of each agent stands in docs/agents.md.
"""

from __future__ import annotations

from typing import Final

# client → seconds; what the agent itself waits stands behind it
HOLDS_S: Final = {
    "claude-code": 1500.0,  # 30 minutes without a sign of life
    "gemini-cli-mcp-client": 570.0,  # 600 s
    "codex-mcp-client": 280.0,  # 300 s
    "github-copilot-developer": 170.0,  # 180 s
    "opencode": 50.0,  # 60 s
    "Cline": 50.0,  # 60 s
    "continue-client": 50.0,  # 60 s
    "continue-cli-client": 50.0,  # 60 s
}
STRANGER_S: Final = 50.0  # many agents wait for 60 s
_BEGINNINGS: Final = {
    "gemini-cli-mcp-client-": 570.0,  # the server's name follows
    "qwen-cli-mcp-client": 280.0,  # 300 s without a sign of life; the server's name follows
}


def hold_s(client: str) -> float | None:
    """How long a call of this client may wait for a person, in seconds; None for a stranger."""
    known = HOLDS_S.get(client)
    if known is not None:
        return known
    return next((s for start, s in _BEGINNINGS.items() if client.startswith(start)), None)
