"""Parses and builds links; links in responses may be any text."""

from __future__ import annotations

from urllib.parse import quote, urljoin, urlsplit


def path_of(link: object) -> str:
    """The path of a link, empty when it is invalid."""
    try:
        return urlsplit(link).path if isinstance(link, str) else ""
    except ValueError:
        return ""


def absolute(base: str, link: str) -> str:
    """The link resolved against the URL of the response, empty when it is invalid."""
    try:
        return urljoin(base, link)
    except ValueError:
        return ""


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute link, empty when it is invalid."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def encoded(text: object) -> str:
    """A text as one segment of a path, or as one value of a query string."""
    return quote(str(text), safe="", errors="replace")
