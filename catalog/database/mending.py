"""Puts right what a scrub found wrong in the tables: rows by the key index, the numbers of usage by the rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import duckdb

from catalog.database.refill import table_of
from catalog.database.tables import objects, usage
from catalog.database.transaction import transaction
from catalog.index.contents import Contents
from catalog.records import BodyMoved, BucketRemoved, Mutation


def mend(
    connection: duckdb.DuckDBPyConnection,
    contents: Contents,
    since: Sequence[Mutation],
    bucket_id: int,
    keys: Collection[str],
) -> bool:
    """Make the versions of these keys those that the index has. See `follower.Mending`."""
    if any(_is_about(mutation, bucket_id, keys) for mutation in since):
        return False
    held = [each for key in keys for each in contents.versions_of(bucket_id, key)]
    with transaction(connection):
        objects.remove_of_keys(connection, bucket_id, keys)
        if held:
            objects.add(connection, table_of(held))
    return True


def recount(connection: duckdb.DuckDBPyConnection, contents: Contents, since: Sequence[Mutation]) -> bool:
    """Count what lies under each prefix from scratch: what the database has not yet, the applier adds."""
    with transaction(connection):
        usage.recount(connection, datetime.now(UTC).date())
    return True


def _is_about(mutation: Mutation, bucket_id: int, keys: Collection[str]) -> bool:
    if isinstance(mutation, BodyMoved):
        return any(held.bucket_id == bucket_id and held.key in keys for held in mutation.versions)
    if isinstance(mutation, BucketRemoved):
        return mutation.bucket_id == bucket_id
    return getattr(mutation, "bucket_id", None) == bucket_id and getattr(mutation, "key", None) in keys
