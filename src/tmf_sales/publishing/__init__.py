"""What others take from the contracts: bundles, a profile for API gateways, collections, pages, and what changed."""
