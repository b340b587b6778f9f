"""Agents' own config files: found, read, routed through the wall, and put back.

    places, agents ──> files ──> document ── entries ──> plan ──> ledger
                                 nodes, syntax: spans of text, never a dump

`agents` is the table of who keeps servers where and in which shape; `entries` reads a document's
servers by it; `plan` says which spans change so that a server is reached through the wall, and
`undo` how to take that back; `ledger` remembers what was changed. Files are read and written in
`document` and `ledger` alone, by the checks of `store.files`. No engine is asked.
"""
