"""The private tables, one file each: how a record becomes a row, and the SQL that touches the table."""
