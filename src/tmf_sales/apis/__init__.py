"""What the contracts cannot express: the rules of each shipped API, registered as any package registers its own.

See registry.py for how rules are found; pyproject.toml registers these.
"""
