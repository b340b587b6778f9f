"""Lines, frame and lists of the app; each knows how to draw one thing."""
