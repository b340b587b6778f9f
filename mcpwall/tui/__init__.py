"""The terminal app.

It sees the engine through `engine.port` alone. `mirror` is its copy of what the engine told it,
`keys` the one table of actions, `app` the frame; `screens` are what a person looks at, `widgets`
what screens are made of, `guard` decides when a key press is a decision.
"""
