"""What the servers screen works with: pure functions from servers and tools to lines."""
