"""HTTP on both sides of the wall: agents that come by URL, and servers that are reached by one.

Sockets and what HTTP says about them live here; what a message means does not (`protocol`), nor
what becomes of a call (`engine`). Streamable HTTP: MCP specification, "Transports".

    agent ─> listener ─> connection ─> agents ─> session ─> Live ─> child_end | remote_end ─> server

Agents:
    door        the way in, as the config wants it      gate          who gets in
    listener    loopback ports                          connection    one request after another
    reading     a request from bytes                    answer        an answer as bytes
    exchange    both, as a handler sees them            agents        which session it belongs to
    session     one session                             stream        its ways back
    stdio_agent a session whose agent is on pipes

Servers:
    ways        which end a session gets                child_end     one that we started
    remote_end  one that is remote                      post          a message on its way there
    ears        its streams that are listened to        resume        how a stream goes on
    reopening   a session that it forgot                remote        what all these know of HTTP
    upstream    all remote servers                      request       one request to one
    client      connections, by aiohttp                 credentials   what a request proves
    tokens, token_requests                              a login, renewed
    aside       asking what may never answer            troubles, faults   what a person is told

Both:
    headers     what headers and statuses say           sse           server-sent events
"""
