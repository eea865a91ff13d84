"""What a run found, for people (terminal, HTML) and for machines (JSON, JUnit XML)."""
