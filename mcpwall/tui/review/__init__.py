"""What a person reads before they decide: pure functions from a held call to safe lines."""
