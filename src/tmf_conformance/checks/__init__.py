"""The checks, one module for each part of the specifications; suite.py puts them in order.

A check judges its own rule only. When it cannot, because something else is wrong, it is not run.
"""
