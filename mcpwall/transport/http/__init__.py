"""HTTP on both sides of the wall: agents that come by URL, and servers that are reached by one.

Sockets and what HTTP says about them live here; what a message means does not (`protocol`), nor
what becomes of a call (`engine`). Streamable HTTP: MCP specification, "Transports".
"""
