"""What people open in a browser: the index of the APIs, their documentation, their contracts, and the console."""
