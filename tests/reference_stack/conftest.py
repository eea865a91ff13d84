"""The services that the tests in this folder speak to are those of the HTTP tests."""

from tests.http.conftest import provider, services, services_end_with_their_module

__all__ = ["provider", "services", "services_end_with_their_module"]
