"""TM Forum TMF699 Sales Management and TMF648 Quote Management, contract first."""

__version__ = "0.1.0"
