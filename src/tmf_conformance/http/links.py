"""Links in answers, which may be anything: what is none has no path and leads nowhere."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit


def path_of(link: object) -> str:
    """The path of a link, empty when it is none."""
    try:
        return urlsplit(link).path if isinstance(link, str) else ""
    except ValueError:
        return ""


def absolute(base: str, link: str) -> str:
    """The link as seen from the URL that it stands at, empty when it is none."""
    try:
        return urljoin(base, link)
    except ValueError:
        return ""


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute link, empty when it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
