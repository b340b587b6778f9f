"""The judge: a call, the rules, the state and a time go in, a verdict comes out.

Everything here is pure. Nothing reads a file, a clock, the environment or a random number; what
the outside knows (the time, where a path really leads, which tools are listed) comes in as a
value or a function of `state.State`. So a verdict can be worked out again from the record.

Judging:
    match       globs over names                 compiled    one rule, read once, or a clear error
    arguments   `items[].url` -> values          compile     all rules -> Policy
    operators   what a test can ask of a value   judge       Call + Policy + State -> Verdict
    conditions  one `when` test, in three values limits      the sliding log behind limits
    hosts       the host of a URL                flow        what an agent did before
    paths       which texts can be paths         answers     what a person's answer covers
    uris        a resource's URI in plain        state       what the judge goes by besides
    seen        what is noted of a call

What a tool is:
    risk        what it can do at worst, told by `risk_…`, `findings`, `verbs`
    traits      reach, money, what it reads      set_risk    the class that a person sets

What a person is told, and what is kept:
    flags       to look at twice in a call       preview     what a change would have done
    masking     what looks like a secret         loosening   what a change newly permits
    outlook     what a tool's calls meet now     never       rules that can never match
    recommend   a rule for each class of risk    written     a policy as text, and back
    definition_flags  to look at twice in a tool's definition
"""
