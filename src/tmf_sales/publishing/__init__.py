"""Publishes the contracts: bundles, profiles for API gateways and code generators, pages, and breaking changes."""
