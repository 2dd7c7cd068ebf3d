"""The clients people use, as they come from PyPI, each doing a day's work against a real server."""
