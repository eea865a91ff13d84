"""What operators see of a running service: metrics, the request log and traces."""
