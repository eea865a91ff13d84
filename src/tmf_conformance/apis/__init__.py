"""The APIs that this distribution can check; each registers itself by an entry point, as any other package can."""
