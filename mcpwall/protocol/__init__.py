"""MCP without I/O: lines in, commands out. Pure.

`session` is the state machine of one conversation; it takes what `codec` and `envelopes` read and
says what is to be done in `commands`.

What is read:
    codec       JSON-RPC on a line                      envelopes     a server's line, as it came
    members     an object's names, unmistakable         methods       every method, and what it is
    forms       a server's messages, for the decoder    said          what a result says
    asking      what a server asks inside an answer     questions     what it asks as a request
    asked       what rules are held against             definitions   tools as a server defines them

What is kept of a conversation:
    requests    one that is under way                   under_way     all of them, by id
    parties     who speaks, which version
    progress    whose token this is                     tasks         who may follow one
    tool_list   what is known of the tools              tool_wait     calls until that is known

What the wall says itself:
    refusals    where a message cannot go on            results       results that it changes
"""
