"""A store that the walls of a team share: one quota for all, and a record that all can read.

A call that its own wall allows is *reserved* there before it is forwarded: all that it costs or
nothing, counted by the store's clock, and entered in the shared record by the same atomic step.
`ledger` says what is asked, `client` asks one thing after the other with a time limit, `redis` and
`postgres` do it. The drivers are loaded when a config names a store, not before.
"""
