"""Renders a contract as JSON or YAML, in the order of its source; the same contract gives the same bytes."""

from __future__ import annotations

from typing import Any

import orjson
import yaml


def as_json(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_yaml(document: dict[str, Any]) -> bytes:
    """YAML without anchors, so that any reader takes it."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120).encode()


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, _data: Any) -> bool:
        return True
