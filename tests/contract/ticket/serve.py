"""Serves the ticket contract: a folder of contracts and a table of rules are all that the service takes of it.

python serve.py --contracts FOLDER --port PORT [--store URL] [--strict] [--public-url URL] [--stack flask]
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import signal
from pathlib import Path

from tests.contract.ticket.ticket import RULES
from tests.reference_stack.flask_stack import create_flask_app

from tmf_sales.app import create_app
from tmf_sales.cli.long_running import listen
from tmf_sales.cli.serve import announcement, end_well
from tmf_sales.configuration.loading import load_settings
from tmf_sales.server import one_worker


def main() -> None:
    signal.signal(signal.SIGTERM, end_well)
    parser = argparse.ArgumentParser()
    parser.add_argument("--contracts", type=Path, required=True)
    for name in ("--port", "--store", "--public-url"):
        parser.add_argument(name)
    parser.add_argument("--strict", action="store_true", default=None)
    parser.add_argument("--stack", choices=["asgi", "flask"], default="asgi")
    options = vars(parser.parse_args())
    contracts = options.pop("contracts")
    create = create_flask_app if options.pop("stack") == "flask" else create_app
    settings = load_settings(os.environ, options)
    listener = listen(settings.host, settings.port)
    settings = dataclasses.replace(settings, port=listener.getsockname()[1])
    one_worker.run(
        lambda: create(settings, contracts=contracts, rules=RULES),
        settings,
        [listener],
        lambda: print(announcement(settings), flush=True),
    )


if __name__ == "__main__":
    main()
