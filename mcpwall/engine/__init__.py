"""The one mutable heart: rules in force, limits, waiting calls, sessions, the feed.

`core` holds the parts together. All of it runs on one loop, and time comes from `clock`.

A session and its calls:
    live        the protocol's commands, carried out    wire          who carries its messages
    calls       a request as the judge sees it          judging       what the judge goes by
    resolve     the real path behind a text             lookups       the same, noted down
    together    requests that stay together             hiding        secrets, hidden and put back
    wording     what an agent is told                   naming        what agents are called

A call that waits:
    holds       held, decided once, or refused          reservations  asked of the shared store
    patience    for how long its agent waits            rounds        longer than its agent waits
    late        answered after the agent's time         remembering   an answer that is kept
    editing     arguments that a person writes          schema        whether those fit the tool

Rules:
    rulebook    what is in force, and its edits         projects      the rules of directories
    previews    what a change would have done           mistakes      why a file does not load

Servers and their tools:
    inventory   all that were seen, and their pins      servers       one over all its sessions
    catalog     what one said in one session            sightings     that, compared with the pins
    showing     what agents get to read of it           newcomers     first seen, told together
    life        up, down, started again                 tool_rules    hide, block, recommended
    tool_risks  classes that a person sets              forgetting    one that is not used any more

What lasts:
    recorder    the engine's pen                        restore       what a new engine takes over
    records     the calls that it remembers             lookback      how far back limits look
    search      the whole record, searched              replay        the record, judged again

What an app sees and orders:
    port        all of it, with the parts `port_…`      local         a port in this process
    feed        numbered events                         following     them, for one app
    commands    orders, carried out                     views         snapshots and rows
    counts      hits of rules, and counts that move     sessions      orders on one session
    tool_commands, tool_views   orders on tools, and their rows
"""
