"""A proxy for HTTP made with FastMCP, for comparison: `fastmcp_http_proxy.py URL PORT`.

Needs fastmcp, which mcpwall does not.
"""

import sys

from fastmcp.server import create_proxy

if __name__ == "__main__":
    _, url, port = sys.argv
    proxy = create_proxy(url)
    proxy.run(transport="http", port=int(port), show_banner=False, log_level="ERROR")
