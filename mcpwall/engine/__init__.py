"""The one mutable heart: rules in force, limits, waiting calls, sessions, the feed."""
