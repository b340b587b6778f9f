"""A stdio proxy made with FastMCP, for comparison: `--also "fastmcp=python fastmcp_proxy.py"`.

Needs fastmcp, which mcpwall does not. Usage: fastmcp_proxy.py COMMAND …
"""

import sys

from fastmcp.client.transports import StdioTransport
from fastmcp.server import create_proxy

if __name__ == "__main__":
    _, command, *arguments = sys.argv
    create_proxy(StdioTransport(command, arguments)).run(transport="stdio", show_banner=False)
