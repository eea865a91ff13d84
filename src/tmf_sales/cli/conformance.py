"""`tmf-sales conformance`: runs the conformance checker, which is a separate package."""

from tmf_conformance.command import conformance

__all__ = ["conformance"]
