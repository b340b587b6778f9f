"""Agents' own config files: found, read, routed through the wall, and put back.

    places, agents ── survey ──> document ── entries ──> plan, undo ──> ledger
                                 json_spans, toml_spans, yaml_spans: where each value stands
                                 syntax, route: the spans that change, never a dump

`agents` is the table of who keeps servers where and in which shape; `entries` reads a document's
servers by it; `plan` says which spans change so that a server is reached through the wall, and
`undo` how to take that back; `ledger` remembers what was changed, and `backup` keeps each file as
it was. Files are read and written in `document`, `ledger` and `backup` alone, by the checks of
`store.files`. No engine is asked.
"""
