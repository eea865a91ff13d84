"""HTTP with the server under test: requests to it, and the listener that it delivers events to."""
