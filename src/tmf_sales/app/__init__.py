"""Builds the service: the context that commands share, the parts without HTTP, and the ASGI application around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tmf_sales.configuration.settings import Settings
    from tmf_sales.http.middleware import App


def create_app(settings: Settings, **parts: Any) -> App:
    """Build the service as one ASGI application; see asgi.create_app."""
    from tmf_sales.app import asgi  # Connexion, which the commands that only need the context do not import

    return asgi.create_app(settings, **parts)
