"""`scripts/gateway_check`: checks the gateway profiles against the published import rules of each gateway."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tmf_sales.contract.bundling import bundle
from tmf_sales.contract.files import contract_files
from tmf_sales.publishing.gateway_profile import gateway_profile
from tmf_sales.publishing.gateway_rules import RULES


def verdicts(documents: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Yield each rule as a line, with the places in the documents (by name) that break it."""
    for rule in RULES:
        places = [f"{name}: {place}" for name, document in documents.items() for place in rule.broken_by(document)]
        yield f"{rule.gateway}: {rule.text}", places


def main(contracts: Path) -> int:
    failed = False
    for line, places in verdicts({path.stem: gateway_profile(bundle(path)) for path in contract_files(contracts)}):
        print(f"{'BROKEN' if places else 'ok    '} {line}", *places, sep="\n         ")
        failed = failed or bool(places)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
