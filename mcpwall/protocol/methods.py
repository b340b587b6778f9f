"""The methods of MCP, in every version, and what the wall does with a client's request. A table.

Source: the schemas of 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25 and 2026-07-28.
"""

from __future__ import annotations

import enum
from typing import Final

HANDSHAKE_VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
STATELESS_VERSION: Final = "2026-07-28"
BATCH_VERSION: Final = "2025-03-26"

META_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
META_CLIENT: Final = "io.modelcontextprotocol/clientInfo"
META_CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"
META_VERDICT: Final = "mcpwall/verdict"


class Way(enum.Enum):
    """What happens to a message of a client's."""

    PASS = "pass"  # housekeeping: goes on, nothing is recorded
    JUDGE = "judge"  # judged, recorded, then forwarded, held or answered


CLIENT_METHODS: Final = {
    "initialize": Way.PASS,
    "server/discover": Way.PASS,
    "ping": Way.PASS,
    "tools/list": Way.PASS,
    "tools/call": Way.JUDGE,
    "prompts/list": Way.PASS,
    "prompts/get": Way.JUDGE,
    "resources/list": Way.PASS,
    "resources/templates/list": Way.PASS,
    "resources/read": Way.JUDGE,
    "resources/subscribe": Way.JUDGE,
    "resources/unsubscribe": Way.PASS,
    "completion/complete": Way.JUDGE,
    "logging/setLevel": Way.PASS,
    "subscriptions/listen": Way.PASS,
    "tasks/get": Way.PASS,
    "tasks/result": Way.PASS,
    "tasks/update": Way.PASS,
    "tasks/list": Way.PASS,
    "tasks/cancel": Way.PASS,
    "notifications/initialized": Way.PASS,
    "notifications/cancelled": Way.PASS,
    "notifications/progress": Way.PASS,
    "notifications/roots/list_changed": Way.PASS,
    "notifications/tasks/status": Way.PASS,
}


def way(method: str) -> Way:
    """What to do with a client's method; an unknown one is judged by the rules that name it."""
    return CLIENT_METHODS.get(method, Way.JUDGE)


def subject(method: str, params: dict[str, object]) -> str:
    """What a request is about: a tool's or prompt's name, or a resource's URI; else ''."""
    for key in ("name", "uri"):
        if isinstance(value := params.get(key), str):
            return value
    return ""
