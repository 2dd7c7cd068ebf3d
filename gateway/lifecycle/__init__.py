"""Lifecycle rules carried out beside a running server, a batch of removals at a time; any other write wins."""
