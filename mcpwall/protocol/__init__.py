"""MCP without I/O: lines in, commands out. Pure."""
