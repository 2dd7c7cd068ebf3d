"""What scrubs came to: rows of what is sound are sums, so that a scrub of many bodies leaves a few rows."""

from __future__ import annotations

from datetime import datetime

import duckdb

from catalog.database.columns import SHORT, TEXT, TIME, WHOLE, insert, schema
from catalog.database.frames import KeepValidations
from catalog.database.transaction import transaction
from catalog.errors import QueryFailed

COLUMNS = schema(
    id=WHOLE,
    scrub=TIME,
    validated=TIME,
    bucket_id=WHOLE,
    check_type=TEXT,
    result=TEXT,
    items=WHOLE,
    bytes=WHOLE,
    key=TEXT,
    version_id=TEXT,
    upload_id=TEXT,
    part_number=SHORT,
    body=TEXT,
    detail=TEXT,
)


def keep(connection: duckdb.DuckDBPyConnection, given: KeepValidations, now: datetime) -> None:
    """In the place of what the scrub said of the bucket before, unless it is `more` of the same. Raises QueryFailed."""
    try:
        with transaction(connection):
            if not given.more:
                connection.execute(
                    "DELETE FROM private.validations WHERE epoch_ms(scrub) = ? AND bucket_id IS NOT DISTINCT FROM ?",
                    [given.scrub, given.bucket_id],
                )
            ((last,),) = connection.execute("SELECT coalesce(max(id), 0) FROM private.validations").fetchall()
            rows = [
                (
                    last + count,
                    given.scrub,
                    now,
                    given.bucket_id,
                    each.check,
                    each.result,
                    each.items,
                    each.bytes,
                    each.key,
                    each.version_id,
                    each.upload_id,
                    each.part,
                    each.body,
                    each.detail,
                )
                for count, each in enumerate(given.validations, 1)
            ]
            insert(connection, "private.validations", COLUMNS, rows)
    except duckdb.Error as problem:
        raise QueryFailed(str(problem)) from None
