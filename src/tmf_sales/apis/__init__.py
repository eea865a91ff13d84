"""Implements the rules of the shipped APIs that their contracts cannot express.

pyproject.toml registers these rules in the same way as any package may register its own; see registry.py.
"""
