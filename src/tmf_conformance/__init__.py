"""Checks any TMF648 or TMF699 v4 server against its specification, with one named check per rule.

The checker follows the specifications and imports nothing of the service in this distribution. Whatever a server
returns, a run ends with a report and removes the resources that it created.
"""

from importlib.metadata import version

__version__ = version("tmf-sales")
