"""`tmf-sales serve`, with the reference stack in place of the service's own.

python -m tests.reference_stack.serve serve [the options of tmf-sales serve]
"""

from __future__ import annotations

from tests.reference_stack.flask_stack import create_flask_app

from tmf_sales.app import asgi
from tmf_sales.cli import main

if __name__ == "__main__":
    asgi.create_app = create_flask_app
    main()
