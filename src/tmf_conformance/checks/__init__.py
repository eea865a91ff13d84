"""The checks, one module per part of the specifications; catalogue.py puts them in order.

Promise: a check looks at its own rule only, and takes whatever else is right or wrong as it comes.
"""
