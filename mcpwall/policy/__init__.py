"""The judge: a call, the rules, the state and a time go in, a verdict comes out.

Everything here is pure. Nothing reads a file, a clock, the environment or a random number; what
the outside knows (the time, where a path really leads, which tools are listed) comes in as a
value or a function of `state.State`. So a verdict can be worked out again from the record.

    match       globs over names                 compile     rules -> Policy, or a clear error
    arguments   `items[].url` -> values          judge       Call + Policy + State -> Verdict
    hosts       the host of a URL                limits      the sliding log behind limits
    conditions  one `when` test, in three values answers     what a person's answer covers
    risk        what a tool can do at worst      preview     what a change would have done
    never       rules that can never match       loosening   what a change newly permits
    flow        what an agent did before         traits      reach, money, what a tool reads
    masking     what looks like a secret         written     a policy as text, and back
"""
