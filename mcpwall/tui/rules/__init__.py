"""What the rules screen works with: pure functions between rules, lines and what is typed."""
