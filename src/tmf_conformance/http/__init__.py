"""HTTP with the server under test: the client for requests, and the receiver of its events."""
