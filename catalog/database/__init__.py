"""DuckDB, the catalog of record: its tables, the applier that fills them, and the process that owns them."""
