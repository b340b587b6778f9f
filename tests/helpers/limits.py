"""How long a test waits for what has to come."""

LIMIT_S = 100.0  # what takes so long hangs, on the slowest machine too
