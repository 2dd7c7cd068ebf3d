"""Measures Ducket, and any other S3 endpoint, row by row."""
