"""Moving resources between stores as JSON lines: one resource a line, whole, with all its versions and revisions."""
