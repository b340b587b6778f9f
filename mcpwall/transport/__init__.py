"""Bytes: the ends of pipes and sockets, and the sessions that run over them.

    shim ── handed_over ──> stdio    a server on pipes      ┐
                            piped    the agent's side of it ├─ pipes: lines ── ends: bytes
                            child    a server of our own    ┘
                            journal  what the next engine must know

`errors` passes a server's stderr on, `error_log` keeps it; `attention` says how long the loop
stays awake. `http` has agents and servers that are reached by URL.
"""
