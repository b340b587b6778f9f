"""A server made with the official Python SDK that notes which tools ran.

two_tools.py FILE [PORT]
"""

import sys
from pathlib import Path

from mcp.server.mcpserver import MCPServer

server = MCPServer(name="two-tools")
ran = Path(sys.argv[1])


def note(tool: str) -> str:
    with ran.open("a") as file:
        file.write(f"{tool}\n")
    return f"{tool} ran"


@server.tool()
def look(x: object = None) -> str:
    """Harmless."""
    return note("look")


@server.tool()
def wipe() -> str:
    """Not harmless."""
    return note("wipe")


if len(sys.argv) > 2:
    server.run("streamable-http", port=int(sys.argv[2]))
else:
    server.run("stdio")
