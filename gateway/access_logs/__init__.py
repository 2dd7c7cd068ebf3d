"""Server access logging: what was asked of a bucket, a line a request, delivered as objects into another."""
