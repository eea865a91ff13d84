"""What stands between the service and browsers, proxies and tools: CORS, OPTIONS, forwarded headers."""
