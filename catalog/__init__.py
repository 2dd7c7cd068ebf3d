"""The catalog: buckets, keys, versions and metadata, in a log, an ordered index and DuckDB. It knows no HTTP."""
