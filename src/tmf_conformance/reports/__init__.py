"""Writes the results of a run for people (terminal, HTML) and for machines (JSON, JUnit XML)."""
