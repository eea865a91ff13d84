"""The store on MongoDB.

pymongo imports PyOpenSSL if it is installed, and `cryptography` before it knows: 27 ms and 10 MB of a start. Its
asynchronous client does not support PyOpenSSL (pymongo/pyopenssl_context.py), so the first import leaves it out.
"""

import sys

_UNUSED = "pymongo.pyopenssl_context"

if "pymongo" not in sys.modules:
    sys.modules[_UNUSED] = None  # type: ignore[assignment]  # its import fails, as if PyOpenSSL were not installed
    try:
        import pymongo  # noqa: F401
    finally:
        del sys.modules[_UNUSED]
