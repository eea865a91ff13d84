"""Records and removes the resources that a run creates on the server.

A successful DELETE is not enough: the run reads the resource and each of its versions again to see that they are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from tmf_conformance.http.links import encoded
from tmf_conformance.http.response import Response

Send = Callable[[str, str], Response]


@dataclass(slots=True)
class Created:
    """A created path: the number of creations, their versions, and whether a check deleted it."""

    times: int = 0
    versions: set[str] = field(default_factory=set)
    is_deleted: bool = False


@dataclass(slots=True)
class Leftovers:
    """The recorded resources. `send` takes a method and a path, and raises NoResponse."""

    send: Send
    paths: dict[str, Created] = field(default_factory=dict)
    unanswered: int = 0  # creations without a response

    def add(self, path: str, document: Mapping[str, object]) -> None:
        created = self.paths.setdefault(path, Created())
        created.times += 1
        created.is_deleted = False
        if isinstance(version := document.get("version"), str):
            created.versions.add(version)

    def mark_deleted(self, path: str) -> None:
        if path in self.paths:
            self.paths[path].is_deleted = True

    def remove(self, path: str) -> bool:
        """Delete the resource with all its versions; False when something is still there. Raises NoResponse."""
        created = self.paths[path]
        is_deleted = created.is_deleted or self._delete(path, created.times)
        removed = is_deleted and not self._is_there(path)
        if created.times > 1:
            for version in sorted(created.versions):
                removed &= self._remove_version(f"{path}:(version={encoded(version)})")
            removed &= not self._is_listed(path)
        if removed:
            del self.paths[path]
        return removed

    def _delete(self, path: str, times: int) -> bool:
        """Send a DELETE for each creation, as one DELETE may remove only one version."""
        for _ in range(times):
            response = self.send("DELETE", path)
            if not response.is_success:
                return response.is_gone
            if not self._is_there(path):
                break
        return True

    def _remove_version(self, path: str) -> bool:
        if not self._is_there(path):
            return True
        self.send("DELETE", path)
        return not self._is_there(path)

    def _is_there(self, path: str) -> bool:
        response = self.send("GET", path)
        return response.is_success and isinstance(response.value, dict)

    def _is_listed(self, path: str) -> bool:
        collection, _, id = path.rpartition("/")
        response = self.send("GET", f"{collection}?id={id}")
        found = response.value if response.is_success and isinstance(response.value, list) else []
        return any(isinstance(each, dict) and each.get("id") == unquote(id) for each in found)
