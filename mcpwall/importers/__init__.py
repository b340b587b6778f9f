"""Policies that were published for other walls, turned into rules of this one.

    text ── documents ──> plain data ── policylayer | intercept ──> Draft ──> Imported
                                              └── conditions ──┘

`documents` reads JSON and YAML so strictly that the text has one reading. `policylayer` and
`intercept` know what each format's keys mean; `conditions` says their conditions in the words of
`when`; `draft` collects the rules, checks each by itself, and notes every point that had to be
interpreted. `read` is the door. Pure: text in, values out; nothing here opens a file.

One direction is never taken: a rule that lets through what the policy would stop. What cannot be
kept exactly becomes stricter and is noted, or the whole policy is refused. docs/import.md tells
what becomes of each key.
"""
