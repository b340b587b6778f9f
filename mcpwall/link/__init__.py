"""The control socket: how apps, commands and shims in other processes reach the engine.

`listener` opens the socket, lets in this user's processes alone, and sorts them; `knock` reads
the first line of each. `server` serves the engine's port to control connections, in the words of
`wire`; `client` (asyncio) and `sync` (blocking) are the other end, `lasting` a client that stays.
"""
