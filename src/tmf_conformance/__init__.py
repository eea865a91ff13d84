"""The conformance run: holds any TMF648 or TMF699 v4 server against the specifications, one named check per rule.

Promise: written against the specifications and not against our service, of which it shares nothing but the contract
files; it never ends in an exception because of what a server answers; and it removes what it created.
"""
