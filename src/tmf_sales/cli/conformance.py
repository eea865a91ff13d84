"""`tmf-sales conformance`: the command of the conformance checker, which is a package of its own."""

from tmf_conformance.command import conformance

__all__ = ["conformance"]
