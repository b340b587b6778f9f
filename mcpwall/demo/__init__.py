"""The demo's pretend agents and servers, and the story that they play.

    agent (a process) ── client ── `mcpwall stdio NAME` ── server (a process)

They stand outside of the wall as real agents and servers do: standard library only, nothing of
mcpwall imported. They read no file, start no command and open no connection: what they answer is
written down in `tools`. `mcpwall.cli.demo` puts them into a scratch home.
"""
