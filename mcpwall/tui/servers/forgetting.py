"""What is said before a server is forgotten: why it cannot be, or what is lost. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.servers.table import Node
from mcpwall.tui.words import many

if TYPE_CHECKING:
    from mcpwall.engine.port_tools import ServerRow


def why_not(node: Node) -> str:
    """Why what is selected cannot be forgotten; "" where it can."""
    if node.tool:
        return "choose the server: a tool is not forgotten alone"
    if node.server.sessions:
        return "an agent has a session with it: let that end, or cut it off"
    return ""


def lost(server: ServerRow) -> list[str]:
    """What is lost and what stays, a paragraph each."""
    tools = many(len(server.tools), "tool")
    said = [f"Lost: {tools} as pinned, what was accepted, remembered answers."]
    waiting = sum(Node(server, tool).waits for tool in server.tools)
    waits = [many(waiting, "tool")] if waiting else []
    waits += ["its instructions"] if server.instructions_changed else []
    if waits:
        said.append(f"▲ {' and '.join(waits)} wait for your consent, which nobody then asks for.")
    return [
        *said,
        "When it comes back, whatever it lists then is pinned as at first sight.",
        "Rules and classes of risk in config.toml stay; so does the record.",
    ]
