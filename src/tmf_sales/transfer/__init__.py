"""Moves resources between stores as JSON lines: one complete resource a line, with all its versions and revisions."""
