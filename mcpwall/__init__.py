"""mcpwall: a firewall between AI agents and MCP servers, run in a terminal."""

__version__ = "0.1.0"
