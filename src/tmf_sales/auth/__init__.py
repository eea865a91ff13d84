"""Authenticates callers and applies the policy to them. Off unless a setting configures a way to authenticate."""
