"""The checks, one module for each part of the specifications; suite.py puts them in order.

A check only judges its own rule. If another defect prevents that, its result is "not run".
"""
